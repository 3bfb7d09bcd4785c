/**
 * Cuts a stream of bytes into lines, and never holds more than a line may have. Each chunk is looked at once, however many a
 * line is made of.
 */
export class BoundedLines {
  private readonly parts: Buffer[] = [];
  private length = 0;

  /**
   * @param maxBytes of one line
   * @param onLine is given each whole line, without its end
   * @param onTooLong is told once, as soon as a line is longer; what follows of the stream must not be given any more
   */
  constructor(
    private readonly maxBytes: number,
    private readonly onLine: (line: string) => void,
    private readonly onTooLong: () => void,
  ) {}

  push(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, from)) {
      if (!this.keep(chunk.subarray(from, end))) return;
      from = end + 1;
      this.onLine(this.take());
    }
    this.keep(chunk.subarray(from));
  }

  private keep(part: Buffer): boolean {
    this.length += part.length;
    if (this.length > this.maxBytes) {
      this.take();
      this.onTooLong();
      return false;
    }
    if (part.length > 0) this.parts.push(part);
    return true;
  }

  private take(): string {
    const line = this.parts.length === 1 ? this.parts[0]! : Buffer.concat(this.parts);
    this.parts.length = 0;
    this.length = 0;
    return line.toString('utf8').replace(/\r$/, '');
  }
}
