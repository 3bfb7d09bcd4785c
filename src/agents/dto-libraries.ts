import { createRequire } from 'node:module';

const load = createRequire(import.meta.url);

type DtoLibraries = typeof import('class-transformer') &
  typeof import('class-validator') &
  Pick<typeof import('class-validator-jsonschema'), 'targetConstructorToSchema'>;

let libraries: DtoLibraries | undefined;

/**
 * class-validator and what goes with it, 360 modules: for who asks with a body, and for agents that declare their input as a
 * DTO class, which have loaded it themselves. At once, for neither can wait.
 */
export function dtoLibraries(): DtoLibraries {
  return (libraries ??= {
    ...(load('class-transformer') as typeof import('class-transformer')),
    ...(load('class-validator') as typeof import('class-validator')),
    ...(load('class-validator-jsonschema') as typeof import('class-validator-jsonschema')),
  });
}
