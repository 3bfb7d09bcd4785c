/** Runs one scenario and hands its result to the runner: `scenario-process.mjs <name> <quick>`. */
const [name, quick] = process.argv.slice(2);
const { title, run } = await import(`../scenarios/${name}.mjs`);
const log = (text) => console.log(`  ${text}`);
process.on('disconnect', () => process.exit(1));
const outcome = await run({ isQuick: quick === 'true', log });
process.send({ title, ...outcome }, () => process.exit(0));
