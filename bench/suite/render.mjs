/** Results as Markdown. */
import { ratiosOf, span } from './figures.mjs';

const line = (cells) => `| ${cells.join(' | ')} |`;

function grid(heads, rows) {
  return [line(heads), line(heads.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

function cell(row, [column, { digits }]) {
  const values = row.rounds.map((round) => round[column]).filter((value) => value !== undefined);
  return values.length === 0 ? '–' : span(values, digits);
}

function tableText(table) {
  const columns = Object.entries(table.columns);
  const parts = [`### ${table.title}`];
  if (table.note) parts.push(table.note);
  parts.push(
    grid(
      ['', ...columns.map(([, { label }]) => label)],
      table.rows.map((row) => [row.label, ...columns.map((column) => cell(row, column))]),
    ),
  );
  if (table.ratios?.length > 0) {
    const rows = table.ratios.map((ratio) => {
      const rounds = ratiosOf(table, ratio);
      const what = `${ratio.of} : ${ratio.to}, ${table.columns[ratio.column].label}`;
      return [what, `${span(rounds, 2)} ×`, rounds.map((value) => value.toFixed(2)).join(' ')];
    });
    parts.push(grid(['ratio', 'median (least–most)', 'in each round'], rows));
  }
  return parts.join('\n\n');
}

const aimRow = ({ text, aim, reached, isReached }) => [text, aim, reached, isReached ? 'yes' : 'no'];

export function renderedSection(result) {
  const parts = [`## ${result.title}`];
  parts.push(`\`${result.name}\`, ${result.date}, commit ${result.commit}, ${result.seconds} s; ${result.machine}.`);
  if (result.note) parts.push(result.note);
  if (result.aims.length > 0) parts.push(grid(['aim', 'wanted', 'reached', ''], result.aims.map(aimRow)));
  parts.push(...result.tables.map(tableText));
  return parts.join('\n\n');
}

/** The whole page. */
export function rendered(results) {
  const newest = results.toSorted((a, b) => a.date.localeCompare(b.date)).at(-1);
  const aims = results.flatMap((result) => result.aims);
  const reached = aims.filter(({ isReached }) => isReached).length;
  const head = [
    '# Results of the bench suite',
    'Written by `npm run bench`; [how to run and read it](README.md). Figures are medians (least–most) of alternating rounds; compare\n' +
      'ratios of one run, not figures of two.',
    `${reached} of ${aims.length} aims are reached. Versions: ${newest.versions.join(', ')}.`,
  ];
  return `${[...head, ...results.map(renderedSection)].join('\n\n')}\n`;
}
