const MONTH =
  '(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?|Januar|Februar|März|Mai|Juni|Juli|Oktober|Dezember)';

const DATE = new RegExp(
  [
    String.raw`\b\d{4}-\d{2}-\d{2}\b`,
    String.raw`\b\d{1,2}\.?\s${MONTH}\.?(?:\s\d{4})?\b`,
    String.raw`\b${MONTH}\.?\s\d{1,2}(?:,\s?\d{4})?\b(?!\s?\d)`,
    String.raw`\b${MONTH}\.?\s\d{4}\b`,
    String.raw`\bQ[1-4](?:\s?\d{4})?\b`,
    String.raw`\b\d{1,2}[./]\d{1,2}[./]\d{4}\b`,
    String.raw`\b(?:19|20)\d\d(?:[-–/](?:19|20)?\d\d)?\b(?![.,]?\d|\s?[%$€£¥])`,
    String.raw`\b(?:by|until|before|after|since|on|every)\s(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b`,
    String.raw`\b(?:last|this|next)\s(?:week|month|quarter|year)\b`,
  ].join('|'),
  'gu',
);

/** Dates and periods, as they stand in a sentence. */
export function datesIn(sentence: string): string[] {
  return [...sentence.matchAll(DATE)].map(([date]) => date);
}

/** The same sentence with blanks in place of its dates, so that they are not read as figures. */
export function withoutDates(sentence: string): string {
  return sentence.replace(DATE, (date) => ' '.repeat(date.length));
}
