/** The same work as plain async functions: what there is below every engine. */
const increment = async ({ n }) => ({ n: n + 1 });
const sumOf = (list) => list.reduce((sum, { n }) => sum + n, 0);
const three = (input) => Promise.all([increment(input), increment(input), increment(input)]);

export async function plain() {
  return {
    shapes: {
      one: async (n) => (await increment({ n })).n,
      row: async (n) => (await increment(await increment(await increment({ n })))).n,
      parallel: async (n) => sumOf(await three({ n: sumOf(await three({ n })) })),
    },
    close: async () => undefined,
  };
}
