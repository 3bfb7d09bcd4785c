/** A measured server tells its parent what it has used, and nothing else about itself. */
export function reportTo(parent, more = () => ({})) {
  parent.on('message', async (message) => {
    if (message.ask === 'usage') {
      globalThis.gc?.();
      const { user, system } = process.cpuUsage();
      parent.send({ cpuUs: user + system, heapBytes: process.memoryUsage().heapUsed, ...(await more()) });
    }
    if (message.ask === 'stop') process.exit(0);
  });
}
