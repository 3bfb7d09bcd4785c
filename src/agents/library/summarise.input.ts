import { z } from 'zod';

export const MAX_TEXT_CHARS = 500_000;

export const summariseInput = z.strictObject({
  text: z.string().min(1).max(MAX_TEXT_CHARS).describe('The text, plain or Markdown'),
  sentences: z
    .int()
    .min(1)
    .max(20)
    .optional()
    .meta({ description: 'How many sentences the summary is to have at most', default: 5 }),
  language: z
    .string()
    .regex(/^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8}){0,3}$/)
    .optional()
    .describe('The language of the text (BCP 47, e.g. "en"); found out when it is missing'),
});
export type SummariseInput = z.output<typeof summariseInput>;
