/**
 * A measured server tells its parent what it has used, and nothing else about itself. Only who asks for the heap has
 * garbage collected: a collection of everything costs as much as a hundred runs, and code is optimised anew after it.
 */
export function reportTo(parent, more = () => ({})) {
  parent.on('disconnect', () => process.exit(0)); // whoever measures is gone
  parent.on('message', async (message) => {
    if (message.ask === 'cpu') {
      const { user, system } = process.cpuUsage();
      parent.send({ cpuUs: user + system });
    }
    if (message.ask === 'heap') {
      globalThis.gc?.();
      parent.send({ bytes: process.memoryUsage().heapUsed, ...(await more()) });
    }
    if (message.ask === 'stop') process.exit(0);
  });
}
