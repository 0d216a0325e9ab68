/** What a person wrote this time. `cut` tells that quoted history or a signature was left out. */
export interface OwnWords {
  body: string;
  cut: boolean;
}

/**
 * Takes quoted history and the signature off the text of a mail. What is in doubt stays: answers written between the quotes
 * keep them, a forwarded mail stays whole, and so does a mail that is nothing but a quotation.
 *
 * Works line by line in linear time, because anybody may send anything: email-reply-parser, made for this, takes a minute and
 * more for some texts of 50 kB (its patterns backtrack), during which nothing else runs.
 */
export function cutQuotedHistory(text: string, options: { forwarded?: boolean } = {}): OwnWords {
  const lines = text.replace(/\r\n?/g, '\n').split('\n');
  const whole = lines.join('\n').trim();
  const history = startOfHistory(lines);
  if (options.forwarded || history === 'forward') return { body: whole, cut: false };
  const kept = withoutSignature(withoutQuotes(lines.slice(0, history)));
  const body = kept.join('\n').trim();
  return body === '' ? { body: whole, cut: false } : { body, cut: body.length < whole.length };
}

/** True for the subject of a mail that passes another one on: `Fwd:`, `WG:`, `TR:` … */
export function isForward(subject: string): boolean {
  return /^\s*(fwd?|wg|tr|rv|enc|doorst|vb|vl)\s*:/i.test(subject);
}

/** Where everything below is history, by a line or a block of header fields that says so; `forward` if a forwarded mail does first. */
function startOfHistory(lines: string[]): number | 'forward' {
  for (let at = 0; at < lines.length; at++) {
    if (isForwardMarker(lineAt(lines, at))) return 'forward';
    if (isReplyMarker(lineAt(lines, at)) || isHeaderBlock(lines, at)) return rule(lines, at);
  }
  return lines.length;
}

/** The line of underscores that Outlook draws above a header block goes with it. */
function rule(lines: string[], at: number): number {
  const above = lastFilled(lines, at);
  return above >= 0 && /^\s*[_-]{5,}\s*$/.test(lineAt(lines, above)) ? above : at;
}

/** Takes off a quotation at the end, with the line that introduces it; or one that the whole answer stands below. */
function withoutQuotes(lines: string[]): string[] {
  for (let at = 0; at < lines.length; at++) {
    const end = endOfAttribution(lines, at);
    if (end === undefined) continue;
    const next = nextFilled(lines, end);
    if (next === undefined || !isQuoted(lineAt(lines, next))) {
      // Some programs quote without any mark. Then only a line that is sure to introduce a quotation counts.
      if (isSureAttribution(lines.slice(at, end).join(' '))) return lines.slice(0, at);
      continue;
    }
    const quotationEnd = endOfQuotation(lines, next);
    if (nextFilled(lines, quotationEnd) === undefined) return lines.slice(0, at);
    const below = lines.slice(quotationEnd);
    if (nextFilled(lines.slice(0, at), 0) === undefined && !below.some(isQuoted)) return below;
    return withoutTrailingQuotation(lines);
  }
  return withoutTrailingQuotation(lines);
}

function withoutTrailingQuotation(lines: string[]): string[] {
  let end = lines.length;
  while (end > 0 && (isBlank(lineAt(lines, end - 1)) || isQuoted(lineAt(lines, end - 1)))) end--;
  for (let start = Math.max(0, end - 4); start < end; start++)
    if (end < lines.length && endOfAttribution(lines, start) === end) return lines.slice(0, start);
  return lines.slice(0, end);
}

/** From the usual mark (RFC 3676 §4.3) on, if no more than 20 lines follow; and what telephones add. */
function withoutSignature(lines: string[]): string[] {
  let end = lines.length;
  const mark = lines.findLastIndex((line) => /^-- ?$/.test(line));
  if (mark > 0 && lines.slice(mark).filter((line) => !isBlank(line)).length <= 20) end = mark;
  for (
    let last = lastFilled(lines, end);
    last > 0 && isAdvertisement(lineAt(lines, last));
    last = lastFilled(lines, end)
  )
    end = last;
  return lines.slice(0, end);
}

const advertisement =
  /^(sent (from|via|with) |get outlook for |von mein\S* .{1,40} gesendet|gesendet (von|mit) |diese nachricht wurde von mein|envoyé (de|depuis) |envoyé à partir de |enviado (desde|do) |inviato da|verzonden (vanaf|met) |verstuurd vanaf |sendt fra |skickat från |wysłane z |отправлено (с|из) )/i;

function isAdvertisement(line: string): boolean {
  return line.length <= 120 && advertisement.test(line.trim());
}

const replyMarker =
  /^\s*-{2,}\s*(original message|original appointment|ursprüngliche nachricht|originalnachricht|message d'origine|message original|mensaje original|messaggio originale|oorspronkelijk bericht|mensagem original|oprindelig (besked|meddelelse)|opprinnelig melding|ursprungligt meddelande|wiadomość oryginalna|исходное сообщение)\s*-{2,}\s*$/i;
const forwardMarker =
  /^\s*(-{2,}\s*(forwarded (message|by)|weitergeleitete nachricht|message transféré|mensaje reenviado|messaggio inoltrato|doorgestuurd bericht|mensagem (encaminhada|reencaminhada)|videresendt (besked|meddelelse)|vidarebefordrat (meddelande|mejl)|przekazana wiadomość|пересылаемое сообщение).*|begin forwarded message:|anfang der weitergeleiteten (nachricht|e-?mail):|début du message (réexpédié|transféré)\s?:|inicio del mensaje reenviado:|inizio messaggio inoltrato:)\s*$/i;

function isReplyMarker(line: string): boolean {
  return line.length <= 100 && replyMarker.test(line);
}

function isForwardMarker(line: string): boolean {
  return line.length <= 200 && forwardMarker.test(line);
}

const fromField = /^\s*\*?(from|von|de|da|van|fra|från|lähettäjä|od|от|发件人|寄件者|差出人)\s?[:：]\*?\s*\S/i;
const dateField =
  /^\s*\*?(sent|date|gesendet|datum|envoyé|enviado( el)?|fecha|inviato|data|verzonden|sendt|dato|skickat|lähetetty|wysłano|отправлено|дата|发送时间|日期|送信日時)\s?[:：]/i;
const otherField =
  /^\s*\*?(to|an|à|para|a|aan|til|till|vastaanottaja|do|кому|收件人|宛先|subject|betreff|objet|asunto|oggetto|onderwerp|assunto|emne|ämne|aihe|temat|тема|主题|主旨|件名)\s?[:：]/i;

/** From:, Sent: and To: or Subject: close together, as Outlook puts them above what is answered. */
function isHeaderBlock(lines: string[], at: number): boolean {
  if (lineAt(lines, at).length > 500 || !fromField.test(lineAt(lines, at))) return false;
  const below = lines.slice(at + 1, at + 6).map((line) => line.slice(0, 200));
  return below.some((line) => dateField.test(line)) && below.some((line) => otherField.test(line));
}

const opening =
  /^\s*((on|am|le|el|il|em|op|den|pe|dnia|w dniu|в|пн|вт|ср|чт|пт|сб|вс)[\s,.]|在|\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|[^\s<]{1,40}(\s[^\s<]{1,40}){0,12}\s<[^<>\s@]+@[^<>\s@]+>)/iu;
const closing =
  /(wrote|writes|schrieb|écrit|escribió|ha scritto|scrisse|escreveu|schreef|skrev|kirjoitti|pisze|napisał\S*|пишет|написал\S*|写道|schrieb\s.{1,200}|schreef\s.{1,200}|skrev\s.{1,200}|<[^<>\s@]+@[^<>\s@]+>)\s?[:：]\s*$/iu;

/** Where `On …, … wrote:` ends, if it begins here; it may be wrapped over four lines. */
function endOfAttribution(lines: string[], at: number): number | undefined {
  if (!opening.test(lineAt(lines, at).slice(0, 300))) return undefined;
  let text = '';
  for (let end = at; end < Math.min(at + 4, lines.length); end++) {
    const line = lineAt(lines, end);
    if (isBlank(line) || isQuoted(line) || text.length + line.length > 400) return undefined;
    text += ` ${line.trim()}`;
    if (closing.test(text)) return end + 1;
  }
  return undefined;
}

/** It names a time or an address: nobody writes such a line themselves. */
function isSureAttribution(text: string): boolean {
  return /<[^<>\s@]+@[^<>\s@]+>/.test(text) || (/\d{1,2}[:.h]\d{2}/.test(text) && /\d{4}/.test(text));
}

function endOfQuotation(lines: string[], start: number): number {
  let end = start;
  for (let at = start; at < lines.length && (isQuoted(lineAt(lines, at)) || isBlank(lineAt(lines, at))); at++)
    if (isQuoted(lineAt(lines, at))) end = at + 1;
  return end;
}

function isQuoted(line: string): boolean {
  return /^\s{0,3}>/.test(line);
}

function isBlank(line: string): boolean {
  return line.trim() === '';
}

function nextFilled(lines: string[], from: number): number | undefined {
  let at = from;
  while (at < lines.length && isBlank(lineAt(lines, at))) at++;
  return at < lines.length ? at : undefined;
}

function lastFilled(lines: string[], before: number): number {
  let at = before - 1;
  while (at >= 0 && isBlank(lineAt(lines, at))) at--;
  return at;
}

function lineAt(lines: string[], at: number): string {
  return lines[at] ?? '';
}
