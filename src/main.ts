#!/usr/bin/env node
// Kept so small, and free of imports, that an old Node can read it and say what is wrong.
const NEEDED = 24;
const found = process.versions.node;

if (Number(found.split('.')[0]) < NEEDED) {
  console.error(
    `Carrel needs Node ${NEEDED} or newer, and this is Node ${found}.\n` +
      `Get it from https://nodejs.org, or run Carrel with it for once: npx -p node@${NEEDED} carrel …`,
  );
  process.exitCode = 1;
} else {
  void import('./cli/compile-cache.js')
    .then(({ keepCompiledCode }) => keepCompiledCode())
    .then(() => import('./cli/program.js'))
    .then(({ runProgram }) => runProgram(process.argv));
}
