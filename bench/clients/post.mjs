/** Starts runs over HTTP on a connection of its own that it keeps, with as little work as a client can have. */
import { connect } from 'node:net';

export function posterOf(url, token) {
  const { hostname, port, host } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  let waiting;
  let answer = '';
  socket.setEncoding('latin1').on('data', (chunk) => {
    answer += chunk;
    const headEnd = answer.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(answer)[1]);
    if (answer.length < headEnd + 4 + length) return;
    const { resolve, reject } = waiting;
    if (answer.startsWith('HTTP/1.1 202')) resolve();
    else reject(new Error(answer));
    answer = '';
  });
  socket.on('error', (error) => waiting?.reject(error));
  return {
    /** @param text the body as JSON */
    start: (text) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        const head = [
          'POST /v1/runs HTTP/1.1',
          `host: ${host}`,
          'content-type: application/json',
          `content-length: ${Buffer.byteLength(text)}`,
          `authorization: Bearer ${token}`,
        ];
        socket.write(`${head.join('\r\n')}\r\n\r\n${text}`);
      }),
    close: () => socket.destroy(),
  };
}
