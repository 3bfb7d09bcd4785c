import { nameOf } from './durable-crash-user.js';

const task = (agent: string, name: unknown) => ({
  agent,
  input: { name, word: { var: 'input.word' }, holds: { var: 'input.holds' }, busyMs: { var: 'input.busyMs' } },
});
const each = (agent: string, name: string) => ({
  over: { var: 'input.items' },
  concurrency: 2,
  step: task(agent, { cat: [name, { var: 'item' }] }),
});
export const SPEC = {
  name: 'crashing',
  steps: [
    { name: 'first', ...task('work', 'first') },
    {
      name: 'sides',
      dependsOn: ['first'],
      parallel: [
        { name: 'left', ...task('work-once', 'left') },
        { name: 'right', ...task('work', 'right') },
      ],
    },
    { name: 'each', dependsOn: ['first'], map: each('work', 'each-') },
    { name: 'once', dependsOn: ['first'], map: each('work-once', 'once-') },
    { name: 'last', dependsOn: ['sides', 'each', 'once'], ...task('work-once', 'last') },
  ],
};
export const BRANCHES = ['left', 'right', 'each-1', 'each-2', 'each-3', 'once-1', 'once-2', 'once-3'];
export const TASKS = ['first', ...BRANCHES, 'last'];
/** What the tasks' steps are called in the events, by their last part. */
export const stepOf = (name: string) => name.replace(/^(each|once)-/, '$1/');

/** `each/2/interrupted-1` → `each/2`, and `3:b/3:b3/interrupted-1` → `b3` */
export function aboutStep(path: string): string {
  const step = path.replace(/\/interrupted-\d+$/, '');
  return step.includes(':') ? nameOf(step) : step.replace(/^sides\//, '');
}
