import { z } from 'zod';

const MAX_TEXT_CHARS = 500_000;
const MAX_NAME_CHARS = 256;

const name = z.string().min(1).max(MAX_NAME_CHARS);
const args = z.record(z.string(), z.json());

const inWords = z.strictObject({
  text: z
    .string()
    .min(1)
    .max(MAX_TEXT_CHARS)
    .meta({ description: 'What you want, in words. The beginning decides; a text behind it may be long' }),
  arguments: args.optional().meta({ description: 'Arguments as data: they go before what the text says' }),
  server: name.optional().meta({ description: 'Only tools of this server are looked at' }),
  tool: name.optional().meta({ description: 'Only tools of this name are looked at' }),
  standardAgent: name.optional().meta({
    description:
      'The agent that answers, with the text, when no tool is called. Left out: assistant if there is one, else summarise',
  }),
  onToolError: z.enum(['fail', 'standard']).default('fail').meta({
    description: 'What a failure of the tool means: the failure of the run, or that the standard agent answers',
  }),
});

const asCall = z.strictObject({
  call: z
    .strictObject({ server: name, tool: name, arguments: args.default({}) })
    .meta({ description: 'Exactly this call' }),
});

/** What the agent `tools` accepts. */
export const toolsInput = z.union([asCall, inWords]);

export type ToolsInput = z.infer<typeof toolsInput>;
export type WordsInput = z.infer<typeof inWords>;
