/** What both streams say of themselves. */
export const STREAM_TEXT =
  'Server-sent events: `id` is the `seq`, `event` the `type`, `data` the envelope. Every event behind the position, in order, ' +
  'then each new one as it happens. Before what retention has removed comes `stream_gap` (`{from, to}`); `auth_expired` and ' +
  '`server_draining` (`{reconnectAfterMs}`) say why the stream ends.';
export const LAST_EVENT_ID = {
  name: 'Last-Event-ID',
  description: 'The last `seq` that the client has. An EventSource sends it by itself when it comes back.',
};
