/** What is compared, at which shapes. Nothing is loaded before it is opened. */
export const SHAPES = {
  one: { title: '1 step', expected: (n) => n + 1 },
  row: { title: '3 steps in a row', expected: (n) => n + 3 },
  parallel: { title: '3 + 3 parallel steps', expected: (n) => 3 * (3 * (n + 1) + 1) },
};

const carrel = async (sync) => (await import('./carrel.mjs')).carrel(sync);
const mastra = async (how) => (await import('./mastra.mjs')).mastra(how);
const langgraph = async (isStreamed) => (await import('./langgraph.mjs')).langgraph(isStreamed);

async function ofOneAgent(opened) {
  const { agent, close } = await opened;
  return { shapes: { one: agent }, close };
}

async function withoutDisk() {
  const opened = await carrel('full');
  (await import('./no-disk.mjs')).writeNothing();
  return opened;
}

export const VARIANTS = {
  agent: { label: 'Carrel, a run of one agent', shapes: ['one'], open: () => ofOneAgent(carrel('full')) },
  full: { label: 'Carrel, a pipeline', open: () => carrel('full') },
  normal: { label: 'Carrel, a pipeline, sync normal', open: () => carrel('normal') },
  agentBound: {
    label: 'bound: Carrel, a run of one agent, nothing written',
    shapes: ['one'],
    open: () => ofOneAgent(withoutDisk()),
  },
  bound: { label: 'bound: Carrel, a pipeline, nothing written', open: withoutDisk },
  mastraMute: { label: 'Mastra workflow, no events', open: () => mastra({}) },
  mastra: { label: 'Mastra workflow, streamed', open: () => mastra({ isStreamed: true }) },
  mastraRegistered: {
    label: 'Mastra workflow, registered, streamed',
    open: () => mastra({ isStreamed: true, isRegistered: true }),
  },
  langgraphMute: { label: 'LangGraph.js, no events', open: () => langgraph(false) },
  langgraph: { label: 'LangGraph.js, streamed', open: () => langgraph(true) },
  openai: {
    label: '@openai/agents',
    shapes: ['one'],
    open: async () => (await import('./openai-agents.mjs')).openaiAgents(),
  },
  aiSdk: { label: 'AI SDK ToolLoopAgent', shapes: ['one'], open: async () => (await import('./ai-sdk.mjs')).aiSdk() },
  plain: { label: 'plain async function', open: async () => (await import('./plain.mjs')).plain() },
};

export const LABELS = Object.fromEntries(Object.entries(VARIANTS).map(([name, { label }]) => [name, label]));
