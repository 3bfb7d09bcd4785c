import { isServerUrl } from './server-urls.js';
import { oneOf, optionalText, text } from './setting.js';

/** What several nodes need that share their work: the distributed profile. */
export const SEVERAL_NODES = {
  DATABASE_URL: optionalText((value) => isServerUrl(value, /^postgres(ql)?:$/), {
    group: 'Several nodes',
    about:
      'PostgreSQL, for several nodes, together with REDIS_URL; without both, one process keeps everything in a file',
    accepts: 'the URL of a database, such as postgresql://user:password@host:5432/carrel',
    placeholder: 'url',
    secret: true,
  }),
  REDIS_URL: optionalText((value) => isServerUrl(value, /^rediss?:$/), {
    group: 'Several nodes',
    about: 'Redis, which carries runs and live events between the nodes; nothing is lost when it is',
    accepts: 'the URL of a Redis server, such as redis://user:password@host:6379 (rediss:// for TLS)',
    placeholder: 'url',
    secret: true,
  }),
  CARREL_REDIS_PREFIX: text(
    'carrel',
    {
      group: 'Several nodes',
      about: 'What the names of all keys and channels in Redis begin with; the same on all nodes',
      accepts: '1 to 64 letters, digits, dots, hyphens or underscores',
      placeholder: 'prefix',
    },
    (value) => /^[A-Za-z0-9._-]{1,64}$/.test(value),
  ),
  CARREL_ROLE: oneOf(['all', 'api', 'worker'], 'all', {
    group: 'Several nodes',
    about: 'What this node does: take requests (api), carry out runs (worker), or both',
  }),
};
