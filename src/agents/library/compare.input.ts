import { z } from 'zod';
import { MAX_TEXT_CHARS } from './summarise.input.js';

const side = z.strictObject({
  title: z.string().trim().min(1).max(200).optional().describe('What to call the text in the verdict'),
  text: z.string().min(1).max(MAX_TEXT_CHARS).describe('The text, plain or Markdown'),
});

export const compareInput = z.strictObject({ left: side, right: side });

export type CompareInput = z.output<typeof compareInput>;
