/** Collects what the process writes to stdout, line by line, instead of showing it. Start it before the server. */
export function captureLog(): { lines: string[]; restore(): void } {
  const lines: string[] = [];
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = (chunk: string | Uint8Array) => {
    lines.push(...String(chunk).split('\n').filter(Boolean));
    return true;
  };
  return { lines, restore: () => void (process.stdout.write = write) };
}
