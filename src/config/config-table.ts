import { flagsOf, SETTINGS } from './env.schema.js';

/** The table of all settings in docs/configuration.md, as Markdown. */
export function renderConfigTable(): string {
  const rows = SETTINGS.map((setting) => {
    const flags = flagsOf(setting).map(code).join(', ');
    const byDefault = setting.default === undefined ? '' : code(setting.default);
    return [code(setting.name), flags, byDefault, `${setting.about}. It must be ${setting.accepts}.`];
  });
  const header = ['Variable', 'Flag of `carrel start`', 'Default', 'What it is'];
  return [header, header.map(() => '---'), ...rows].map(markdownRow).join('\n');
}

function code(text: string): string {
  return `\`${text}\``;
}

function markdownRow(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
