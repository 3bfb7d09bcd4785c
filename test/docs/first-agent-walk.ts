import type { Page } from 'playwright-core';

/** The way that docs/first-agent.md leads. Its test takes it, and so does the script that times it from a fresh clone. */

/** The commands of the guide, one a line, without their comments. */
export function commandsOf(guide: string): string[] {
  return codeOf(guide, 'sh')
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter(Boolean);
}

/** What the guide puts into the agent. */
export function changed(agent: string, guide: string): string {
  const after = agent.replace('async run({ text }, run) {', (line) => `${line}\n${codeOf(guide, 'js')}`);
  if (after === agent) throw new Error('the agent has no place for what the guide puts into it');
  return after;
}

/** Opens the link that the server prints, runs the agent from its form, and sees what it says. */
export async function runInConsole(page: Page, link: string): Promise<void> {
  await page.goto(link);
  await run(page, 'one two three');
  await page.getByText('"words": 3').first().waitFor();
}

/** The same with the changed agent: it asks, and goes on when it is answered. */
export async function approveInConsole(page: Page, link: string): Promise<void> {
  await page.goto(link);
  await run(page, 'one two three four');
  await page.getByRole('link', { name: /^Approvals/ }).click();
  await page.getByRole('heading', { name: 'Approvals' }).waitFor();
  const question = page.getByRole('article', { name: 'Count 18 characters?' });
  await question.getByRole('button', { name: 'Approve' }).click();
  await page.getByText('Nobody asks you anything').waitFor();
  await page.goBack();
  await page.getByText('"words": 4').first().waitFor();
}

async function run(page: Page, text: string): Promise<void> {
  await page.getByRole('link', { name: 'Agents', exact: true }).click();
  await page.getByRole('link', { name: 'word-count' }).click();
  await page.getByLabel('text').fill(text);
  await page.getByRole('button', { name: 'Run' }).click();
  await page.getByRole('group', { name: 'Timeline' }).waitFor();
}

/** The first block of code in that language. */
export function codeOf(guide: string, language: 'sh' | 'js'): string {
  const [, code] = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'm').exec(guide) ?? [];
  if (!code) throw new Error(`the guide has no ${language}`);
  return code;
}
