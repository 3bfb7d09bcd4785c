import { type Command, Option } from 'commander';
import { flagsOf, SETTINGS, type Setting, type SettingName } from '../config/env.schema.js';
import type { SettingOverrides } from '../config/load-config.js';

/** Gives a command a flag for each of these settings; by default for all there are. */
export function addSettingOptions(command: Command, names?: readonly SettingName[]): Command {
  for (const setting of settingsWithFlags(names)) command.addOption(optionFor(setting));
  return command;
}

/** What the command line sets, by variable. */
export function overridesFrom(options: Readonly<Record<string, unknown>>): SettingOverrides {
  const overrides: SettingOverrides = {};
  for (const setting of settingsWithFlags()) {
    const value = options[optionFor(setting).attributeName()];
    if (typeof value === 'string') overrides[setting.name] = value;
  }
  return overrides;
}

function settingsWithFlags(names?: readonly SettingName[]): readonly Setting[] {
  return SETTINGS.filter((setting) => flagsOf(setting).length > 0 && (names?.includes(setting.name) ?? true));
}

function optionFor(setting: Setting): Option {
  const { name, placeholder, about, default: byDefault } = setting;
  const facts = byDefault === undefined ? name : `${name}, default ${byDefault}`;
  const option = new Option(`${flagsOf(setting).join(', ')} <${placeholder}>`, `${about} (${facts})`);
  return option.helpGroup(`${setting.group}:`);
}
