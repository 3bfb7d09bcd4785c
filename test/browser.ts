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

/** @throws Error that says what to install */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = findChromium();
  if (!executablePath) {
    throw new Error(
      'These tests need a Chromium: install it (apt-get install chromium), or say where one is (CARREL_TEST_CHROMIUM)',
    );
  }
  // within containers there is often no other sandbox
  return chromium.launch({ executablePath, args: ['--no-sandbox'] });
}
