import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** Where a Chromium is: `CARREL_TEST_CHROMIUM`, else the first one in the path. */
function findChromium(): string | undefined {
  const { CARREL_TEST_CHROMIUM: given, PATH = '' } = process.env;
  if (given) return given;
  const candidates = PATH.split(delimiter).flatMap((dir) => NAMES.map((name) => join(dir, name)));
  return candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

const executablePath = findChromium();

/** `describe` where there is a Chromium; elsewhere the tests are skipped, and it says so. CI takes no skipped test for a pass. */
export const describeInBrowser = executablePath ? describe : describe.skip;
if (!executablePath) {
  process.stderr.write(
    'No Chromium found: tests in the browser are skipped. Install the package "chromium", or set CARREL_TEST_CHROMIUM.\n',
  );
}

export function launchBrowser(): Promise<Browser> {
  // within containers there is often no other sandbox
  return chromium.launch({ executablePath, args: ['--no-sandbox'] });
}
