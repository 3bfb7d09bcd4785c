/** What `carrel new agent` writes: an agent in plain JavaScript that does something, and a test of it. */
export interface NewFile {
  readonly name: string;
  readonly text: string;
}

export function newAgentFiles(agent: string): readonly NewFile[] {
  const className = agent.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
  return [
    { name: `${agent}.agent.mjs`, text: agentText(agent, className) },
    { name: `${agent}.agent.test.mjs`, text: testText(agent, className) },
  ];
}

function agentText(agent: string, className: string): string {
  return `import { Module } from '@nestjs/common';
import { Agent } from 'carrel';
import { z } from 'zod';

/** What it is given. Other input is refused before a run exists. */
const Input = z.object({ text: z.string().min(1).max(100_000).describe('What to look at') });

/** Counts words, for now. A fresh instance works for one run of one user. */
export class ${className} {
  async run({ text }, run) {
    await run.thinking('Reading the text', { progress: 0.5 });
    // a step that has ended is not done again after a crash or a retry
    const words = await run.step('count', async () => text.split(/\\s+/).filter(Boolean).length, { effect: 'read' });
    run.signal.throwIfAborted(); // pass run.signal to everything that can wait: that is what makes a cancel quick
    return { words };
  }
}

Agent({
  name: '${agent}',
  description: 'Says how many words a text has',
  input: Input,
  example: { text: 'A carrel is a desk' },
  effect: 'idempotent', // a run that the end of the server has interrupted is run again
})(${className});

/** What \`carrel start --agents ${agent}.agent.mjs\` loads. */
export default class ${className}Module {}
Module({ providers: [${className}] })(${className}Module);
`;
}

function testText(agent: string, className: string): string {
  return `// node --test ${agent}.agent.test.mjs
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createCarrelApp, ExecutionService, loadConfig } from 'carrel';
import ${className}Module from './${agent}.agent.mjs';

let app, dir;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), '${agent}-'));
  const config = loadConfig({ CARREL_DATA_DIR: dir, CARREL_LOG_LEVEL: 'silent' });
  app = await createCarrelApp({ config, agents: [${className}Module] });
  await app.init();
});
after(async () => {
  await app.close();
  await rm(dir, { recursive: true });
});

test('${agent} counts words', async () => {
  const execution = app.get(ExecutionService);
  const alice = execution.contextFor('alice');
  assert.deepEqual(await execution.executeAgent(alice, '${agent}', { text: 'a desk for a reader' }), { words: 5 });
});

test('${agent} refuses what it can not use', async () => {
  const execution = app.get(ExecutionService);
  const alice = execution.contextFor('alice');
  await assert.rejects(execution.executeAgent(alice, '${agent}', { text: '' }), { code: 'invalid_input' });
});
`;
}
