/** The code stands behind the #, which browsers send to nobody. */
export function consoleLink(url: string, code: string): string {
  return `${url.replace(/\/+$/, '')}/console/#code=${code}`;
}
