import { readFileSync } from 'node:fs';
import { SETTINGS } from '../../src/config/env.schema.js';
import { BuiltCli } from './built-cli.js';

const cli = new BuiltCli();
afterAll(() => cli.remove());

describe('carrel', () => {
  it('explains itself', async () => {
    const { code, stdout, stderr } = await cli.run(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/start.*run the server/);
    expect(stdout).toMatch(/token.*print a signed token/);
    expect(stdout).toContain('Examples:');
  });

  it('says its version', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(await cli.run(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('has a flag of start for every setting', async () => {
    const { stdout } = await cli.run(['start', '--help']);
    for (const { name } of SETTINGS.filter((setting) => !setting.environmentOnly)) expect(stdout).toContain(`(${name}`);
  });

  it.each<[string[], RegExp]>([
    [['strat'], /unknown command 'strat'\n\(Did you mean start\?\)/],
    [['start', '--user-max-runing', '3'], /Did you mean --user-max-running\?/],
    [['start', '--port'], /argument missing/],
    [['start', 'now'], /too many arguments/],
  ])('answers a call that makes no sense with 2 (case %#)', async (args, why) => {
    const { code, stderr } = await cli.run(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(why);
  });

  it('without a command shows what there is', async () => {
    const { code, stderr } = await cli.run([]);
    expect(code).toBe(2);
    expect(stderr).toContain('Usage: carrel');
  });

  it('on an old Node says what to do, and does nothing else', async () => {
    const old = `Object.defineProperty(process, 'versions', { value: { node: '20.19.1' } })`;
    const { code, stdout, stderr } = await cli.run(['--help'], {}, ['--import', `data:text/javascript,${old}`]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/needs Node 24 or newer, and this is Node 20\.19\.1/);
  });
});
