/** What is looked at to say whether a user is isolated; each is about what is there, not about what was meant. */
export const ISOLATION_CHECKS = [
  { name: 'room_is_mine', about: 'every socket in your room was let in with a token of yours' },
  { name: 'sockets_in_no_other_room', about: "no socket of yours is in anybody else's room" },
  { name: 'sockets_have_places', about: 'you have as many sockets as places that they took, and no more' },
  { name: 'streams_are_mine', about: 'every event stream that counts as yours reads your events' },
  { name: 'runs_are_mine', about: 'every run that is under way here for you is recorded as yours' },
  { name: 'engines_have_permits', about: 'no more of your runs are under way here than have a place in your lane' },
  { name: 'contexts_have_runs', about: 'no execution context of yours is open without a run' },
] as const;

export type IsolationCheckName = (typeof ISOLATION_CHECKS)[number]['name'];
