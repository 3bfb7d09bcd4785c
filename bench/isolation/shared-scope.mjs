/**
 * What Carrel never does: all runs share one DI sub-tree, the agents in it and the context that is injected, and nothing is disposed
 * of. Built from outside, for the bench alone, so that what a sub-tree for each run costs is a number.
 */
export function shareOneScope(factory) {
  const { openScope } = factory;
  let shared;
  factory.openScope = (context) => (shared ??= withoutEnd(openScope(context)));
}

function withoutEnd(scope) {
  const made = new Map();
  const resolve = scope.resolve.bind(scope);
  scope.resolve = (type) => {
    if (!made.has(type)) made.set(type, resolve(type));
    return made.get(type);
  };
  scope.adopt = (instance) => instance;
  scope[Symbol.asyncDispose] = async () => undefined;
  return scope;
}
