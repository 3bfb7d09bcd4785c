/** What is compared. Nothing is loaded before it is opened. */
import { TEXT } from './script.mjs';

export const SHAPES = { run: { title: 'A run with one tool call', expected: () => TEXT.trim() } };

const opened = (load) => async () => {
  const { run, close } = await load();
  return { shapes: { run: async () => (await run()).trim() }, close };
};
const carrel = (agent) => opened(async () => (await import('./carrel.mjs')).carrel(agent));
const aiSdk = (way) => opened(async () => (await import('./ai-sdk.mjs')).aiSdk(way));

export const VARIANTS = {
  carrel: { label: 'Carrel, LlmAgent', open: carrel('adder') },
  assistant: { label: 'Carrel, assistant', open: carrel('assistant') },
  stream: { label: 'AI SDK ToolLoopAgent, stream', open: aiSdk('stream') },
  generate: { label: 'AI SDK ToolLoopAgent, generate', open: aiSdk('generate') },
  mastra: { label: 'Mastra Agent, stream', open: opened(async () => (await import('./mastra.mjs')).mastra()) },
  openai: {
    label: '@openai/agents, stream',
    open: opened(async () => (await import('./openai-agents.mjs')).openaiAgents()),
  },
};
