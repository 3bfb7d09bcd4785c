/** LangGraph.js as its documentation shows it, without a checkpointer: nothing is kept. */
import { Annotation, END, START, StateGraph } from '@langchain/langgraph';

const increment = async ({ n }) => ({ n: n + 1 });

const LastValue = Annotation.Root({ n: Annotation });
/** Parallel nodes write the same channel, so it must say what becomes of two values. */
const Gathered = Annotation.Root({
  n: Annotation({ reducer: (_, value) => value, default: () => 0 }),
  firsts: Annotation({ reducer: (all, one) => [...all, ...one], default: () => [] }),
  seconds: Annotation({ reducer: (all, one) => [...all, ...one], default: () => [] }),
});
const sumOf = (list) => list.reduce((sum, n) => sum + n, 0);

const one = new StateGraph(LastValue).addNode('a', increment).addEdge(START, 'a').addEdge('a', END).compile();

const row = new StateGraph(LastValue)
  .addNode('a', increment)
  .addNode('b', increment)
  .addNode('c', increment)
  .addEdge(START, 'a')
  .addEdge('a', 'b')
  .addEdge('b', 'c')
  .addEdge('c', END)
  .compile();

const first = async ({ n }) => ({ firsts: [n + 1] });
const second = async ({ firsts }) => ({ seconds: [sumOf(firsts) + 1] });
const graph = new StateGraph(Gathered);
for (const name of ['a1', 'a2', 'a3']) graph.addNode(name, first).addEdge(START, name);
for (const name of ['b1', 'b2', 'b3']) {
  graph.addNode(name, second).addEdge(['a1', 'a2', 'a3'], name).addEdge(name, END);
}
const parallel = graph.compile();

/** @param isWatched the begin and the end of every node are streamed, as Carrel's users get them */
export async function langgraph(isWatched) {
  async function resultOf(compiled, n) {
    if (!isWatched) return compiled.invoke({ n });
    let last;
    for await (const [mode, chunk] of await compiled.stream({ n }, { streamMode: ['tasks', 'values'] })) {
      if (mode === 'values') last = chunk;
    }
    return last;
  }
  return {
    shapes: {
      one: async (n) => (await resultOf(one, n)).n,
      row: async (n) => (await resultOf(row, n)).n,
      parallel: async (n) => sumOf((await resultOf(parallel, n)).seconds),
    },
    close: async () => undefined,
  };
}
