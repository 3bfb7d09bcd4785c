/** What is compared, at which shapes. Nothing is loaded before it is opened. */
export const SHAPES = {
  one: { title: '1 step', expected: (n) => n + 1 },
  row: { title: '3 steps in a row', expected: (n) => n + 3 },
  parallel: { title: '3 + 3 parallel steps', expected: (n) => 3 * (3 * (n + 1) + 1) },
};

const carrel = async (sync) => (await import('./carrel.mjs')).carrel(sync);
const mastra = async (how) => (await import('./mastra.mjs')).mastra(how);
const langgraph = async (isStreamed) => (await import('./langgraph.mjs')).langgraph(isStreamed);

export const VARIANTS = {
  full: { label: 'Carrel, durable (sync full)', isOwn: true, open: () => carrel('full') },
  normal: { label: 'Carrel, durable (sync normal)', isOwn: true, open: () => carrel('normal') },
  mastra: { label: 'Mastra, streamed', open: () => mastra({ isStreamed: true }) },
  mastraRegistered: {
    label: 'Mastra, registered, streamed',
    open: () => mastra({ isStreamed: true, isRegistered: true }),
  },
  mastraMute: { label: 'Mastra, no events', open: () => mastra({}) },
  langgraph: { label: 'LangGraph.js, streamed', open: () => langgraph(true) },
  langgraphMute: { label: 'LangGraph.js, no events', open: () => langgraph(false) },
  plain: { label: 'plain async function', open: async () => (await import('./plain.mjs')).plain() },
};
