/** LangGraph.js, one node, without a checkpointer; the node calls back itself, which is quicker than any stream of it. */
import { Annotation, END, START, StateGraph } from '@langchain/langgraph';
import { THOUGHTS } from './thoughts.mjs';

const State = Annotation.Root({ text: Annotation, words: Annotation });
const graph = new StateGraph(State)
  .addNode('think', async (_state, { configurable }) => {
    for (let i = 0; i < THOUGHTS; i++) configurable.think();
    return { words: 3 };
  })
  .addEdge(START, 'think')
  .addEdge('think', END)
  .compile();

export async function carryOut(text, think) {
  await graph.invoke({ text }, { configurable: { think } });
}
