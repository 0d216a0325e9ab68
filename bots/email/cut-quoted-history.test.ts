import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cutQuotedHistory, isForward } from './cut-quoted-history.ts';
import { readHtml } from './read-html.ts';

const fixture = (name: string) => readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8');

describe('quoted history', () => {
  it.each([
    'On Mon, Jan 5, 2026 at 10:01 AM Assistant <assistant@example.com> wrote:',
    'On Mon, Jan 5, 2026 at 10:01 AM Assistant\n<assistant@example.com> wrote:',
    'Am Mo., 5. Jan. 2026 um 10:01 Uhr schrieb Assistant <assistant@example.com>:',
    'Am 05.01.26 um 10:01 schrieb Assistant:',
    'Le lun. 5 janv. 2026 à 10:01, Assistant <assistant@example.com> a écrit :',
    'El lun, 5 ene 2026 a las 10:01, Assistant (<assistant@example.com>) escribió:',
    'Il giorno lun 5 gen 2026 alle ore 10:01 Assistant <assistant@example.com> ha scritto:',
    'Em seg., 5 de jan. de 2026 às 10:01, Assistant <assistant@example.com> escreveu:',
    'Op ma 5 jan 2026 om 10:01 schreef Assistant <assistant@example.com>:',
    'Den mån 5 jan. 2026 kl 10:01 skrev Assistant <assistant@example.com>:',
    'pon., 5 sty 2026 o 10:01 Assistant <assistant@example.com> napisał(a):',
    'пн, 5 янв. 2026 г. в 10:01, Assistant <assistant@example.com>:',
    '2026年1月5日(月) 10:01 Assistant <assistant@example.com>:',
    'Assistant <assistant@example.com> wrote:',
  ])('below the answer goes, with %j', (attribution) => {
    const text = `Thursday is fine.\n\nSee you there\n\n${attribution}\n\n> Does Thursday suit you?\n> It would be noon.\n`;
    expect(cutQuotedHistory(text)).toEqual({ body: 'Thursday is fine.\n\nSee you there', cut: true });
  });

  it.each([
    '-----Original Message-----\nFrom: Assistant\nSent: Monday',
    '________________________________\nFrom: Assistant <assistant@example.com>\nSent: Monday, January 5, 2026 10:01 AM\nTo: Sam\nSubject: Lunch',
    'Von: Assistant <assistant@example.com>\nGesendet: Montag, 5. Januar 2026 10:01\nAn: Sam\nBetreff: Lunch',
    'De : Assistant <assistant@example.com>\nEnvoyé : lundi 5 janvier 2026 10:01\nÀ : Sam\nObjet : Lunch',
    '*From:* Assistant\n*Date:* Monday, January 5, 2026\n*To:* Sam',
    '-------- Ursprüngliche Nachricht --------',
  ])('below the answer goes, as Outlook and others put it: %j', (head) => {
    expect(cutQuotedHistory(`Thursday is fine.\n\n${head}\n\nDoes Thursday suit you?\n`).body).toBe(
      'Thursday is fine.',
    );
  });

  it('goes although it is not marked as a quotation', () => {
    const text = 'Yes.\n\nOn 1/5/26, 10:01 AM, "Assistant" <assistant@example.com> wrote:\n\nDoes Thursday suit you?\n';
    expect(cutQuotedHistory(text).body).toBe('Yes.');
  });

  it('above the answer goes', () => {
    const text =
      'On Mon, 5 Jan 2026, Assistant wrote:\n> Does Thursday suit you?\n> It would be noon.\n\nThursday is fine.\n';
    expect(cutQuotedHistory(text).body).toBe('Thursday is fine.');
  });

  it('stays where the answers stand between the quotes', () => {
    const text = 'On Mon, 5 Jan 2026, Assistant wrote:\n> Does Thursday suit you?\nYes.\n> At noon?\nBetter at one.';
    expect(cutQuotedHistory(text)).toEqual({ body: text, cut: false });
  });

  it('at the end goes although answers stand between other quotes', () => {
    const text = 'Hi,\n> Thursday?\nYes.\n\nOn Mon, 5 Jan 2026, Assistant wrote:\n> old\n> older\n';
    expect(cutQuotedHistory(text).body).toBe('Hi,\n> Thursday?\nYes.');
  });

  it('stays in a forwarded mail, which is there to be read', () => {
    for (const marker of ['---------- Forwarded message ---------', 'Begin forwarded message:']) {
      const text = `Please have a look.\n\n${marker}\nFrom: Eve\nDate: Monday\nTo: Sam\n\nThe offer.\n-- \nEve`;
      expect(cutQuotedHistory(text)).toEqual({ body: text, cut: false });
    }
    const outlook = 'Please look.\n\nFrom: Eve\nSent: Monday\nTo: Sam\nSubject: Offer\n\nThe offer.';
    expect(cutQuotedHistory(outlook, { forwarded: isForward('FW: Offer') }).body).toBe(outlook);
    expect(cutQuotedHistory(outlook, { forwarded: isForward('RE: FW: Offer') }).body).toBe('Please look.');
  });

  it('stays in a mail that is nothing else', () => {
    expect(cutQuotedHistory('> what did you mean by this?\n')).toEqual({
      body: '> what did you mean by this?',
      cut: false,
    });
  });

  it('of an HTML mail goes as well', () => {
    const gmail = fixture('gmail-reply.html');
    expect(cutQuotedHistory(readHtml(gmail)).body).toBe(
      'Thursday is fine:\n * noon\n * at the café [https://cafe.example/]',
    );
    const outlook = fixture('outlook-reply.html');
    expect(cutQuotedHistory(readHtml(outlook)).body).toBe('Thursday is fine.\n\nSam');
  });
});

describe('what people write themselves', () => {
  it.each([
    'On Monday I wrote: never again.\nAnd then I did.',
    'On the one hand, a list:\n- a\n- b',
    'From: now on we meet at noon.',
    'One more thing he wrote:',
    'a -- b\n--- \nc',
    'Use `--`:\n\n    git log -- main.ts\n',
    'Dear Assistant,\n\nam I late?\n\nSam',
    '',
  ])('stays: %j', (text) => {
    expect(cutQuotedHistory(text)).toEqual({ body: text.trim(), cut: false });
  });
});

describe('a signature', () => {
  it('goes from its mark on', () => {
    expect(cutQuotedHistory('Thursday.\n\n-- \nSam\nExample Ltd').body).toBe('Thursday.');
    expect(cutQuotedHistory('Thursday.\n--\nSam').body).toBe('Thursday.');
    expect(cutQuotedHistory('Thursday.\n\n-- \nSam\n\nOn 5 Jan 2026, Assistant wrote:\n> ?').body).toBe('Thursday.');
  });

  it('that a telephone added goes', () => {
    expect(cutQuotedHistory('Thursday.\n\nSent from my iPhone').body).toBe('Thursday.');
    expect(cutQuotedHistory('Donnerstag.\n\nVon meinem iPhone gesendet\n\n> alt\n').body).toBe('Donnerstag.');
  });

  it('stays when there is more than a signature below the mark', () => {
    const text = `Thursday.\n-- \n${'a line\n'.repeat(30)}`;
    expect(cutQuotedHistory(text).body).toBe(text.trim());
  });
});

it('takes no longer for texts that are made to take long', () => {
  const texts = [
    'Op x schreef y\n',
    'on a wrote:\n',
    `on ${'<a@a'.repeat(90)}\n`,
    'From: x\n',
    '> a\n\nb\n',
    'a '.repeat(190),
    '\n',
  ];
  for (const text of texts) {
    const began = performance.now();
    cutQuotedHistory(text.repeat(Math.floor(1_000_000 / text.length)));
    expect(performance.now() - began, JSON.stringify(text.slice(0, 20))).toBeLessThan(5000);
  }
});
