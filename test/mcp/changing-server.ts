// A stdio server whose tools are what the file says that is its argument, read again whenever it is asked; it tells of a
// change when its tool `tell` is called.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [, , file = ''] = process.argv;
const put = (message: object) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
const tell = {
  name: 'tell',
  description: 'Tells of a change',
  inputSchema: { type: 'object' },
  annotations: { readOnlyHint: true },
};

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line) as {
    id?: number;
    method?: string;
    params: { name: string; protocolVersion: string };
  };
  if (method === 'initialize') {
    const capabilities = { tools: { listChanged: true } };
    put({
      id,
      result: { protocolVersion: params.protocolVersion, capabilities, serverInfo: { name: 'changing', version: '1' } },
    });
  } else if (method === 'tools/list') {
    put({ id, result: { tools: [tell, ...(JSON.parse(readFileSync(file, 'utf8')) as object[])] } });
  } else if (method === 'tools/call') {
    if (params.name === 'tell') put({ method: 'notifications/tools/list_changed' });
    put({ id, result: { content: [{ type: 'text', text: `did ${params.name}` }] } });
  } else if (id !== undefined) {
    put({ id, error: { code: -32_601, message: 'not known' } });
  }
});
