/** Whether the environment asks for debugging; readable also when the configuration as a whole is not. */
export function wantsDetails(env: NodeJS.ProcessEnv = process.env): boolean {
  return env['CARREL_LOG_LEVEL'] === 'debug' || env['CARREL_LOG_LEVEL'] === 'trace';
}
