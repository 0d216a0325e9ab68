import type { Executor } from '../../store/database.ts';

/** Words that say nothing about what is asked for, in English and German, as the `simple` configuration writes them. */
const stopWords = `
  a about again all also am an and any anybody anyone anything are as ask at be because been before but by can could did do does
  done for from give got had has have he hello help her hey hi him his how i if in into is it its just know let like me more much
  my need no not now of off on one or our out please re say said says she show so some somebody someone something still tell than
  thank thanks that the their them then there these they thing this to too up us want was we were what when where which who whom
  whose why will with would wrote yes yet you your
  aber alle als am an auch auf aus aw bei bin bis bist bitte da danke dann das dass dein dem den denn der des die dir du ein eine
  einem einen einer eines er es etwas für gab gegen gesagt geschrieben gibt habe haben hallo hast hat hatte ich ihm ihn ihr im in
  ist ja jemand kann kannst kein keine können man mehr mein mich mir mit moin nach nein nicht noch nun nur ob oder sag schon sehr
  sein seine sich sie sind so über um und uns unser vom von vor wann war waren warum was weil welche welcher welches wem wen wenn
  wer werden wie wieder will wir wird wo wurde zu zum zur zwischen wg fwd
  good morning afternoon evening day guten morgen tag abend grüße regards kind best freundliche freundlichen grüßen`
  .split(/\s+/)
  .filter((word) => word !== '');

/** More words than these are not looked for: a question is short, a long mail's first words say what it is about. */
const wordsAtMost = 24;
const charactersAtMost = 4000;

/**
 * What a question asks for: a full text query a word (PostgreSQL's `tsquery`), in the order in which they were said. A word of five
 * letters or more is found by its beginning, without an ending that the plural or a case may have put there: the `simple`
 * configuration knows no grammar.
 */
export async function questionWords(executor: Executor, question: string): Promise<string[]> {
  const rows = await executor.query<{ lexeme: string }>(
    `select lexeme from unnest(to_tsvector('simple', $1))
     where lexeme <> all($2::text[]) and (length(lexeme) > 1 or lexeme ~ '\\d')
     order by positions[1] limit $3`,
    [question.slice(0, charactersAtMost).replaceAll('\u0000', ''), stopWords, wordsAtMost],
  );
  return rows.map(({ lexeme }) => asQuery(lexeme));
}

function asQuery(lexeme: string): string {
  const word = /^\p{L}{5,}$/u.test(lexeme);
  const stem = word ? lexeme.replace(/(?<=.{4})(en|es|er|e|n|s)$/u, '') : lexeme;
  return `'${stem.replaceAll('\\', '\\\\').replaceAll("'", "''")}'${word ? ':*' : ''}`;
}
