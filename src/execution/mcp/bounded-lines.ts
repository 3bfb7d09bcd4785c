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
   * @param onTooLong is told as soon as a line is longer; the rest of that line is skipped
   */
  constructor(
    private readonly maxBytes: number,
    private readonly onLine: (line: string) => void,
    private readonly onTooLong: () => void,
  ) {}

  push(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, from)) {
      this.keep(chunk.subarray(from, end));
      from = end + 1;
      this.endLine();
    }
    this.keep(chunk.subarray(from));
  }

  private keep(part: Buffer): void {
    const wasTooLong = this.length > this.maxBytes;
    this.length += part.length;
    if (this.length <= this.maxBytes) {
      if (part.length > 0) this.parts.push(part);
    } else if (!wasTooLong) {
      this.parts.length = 0;
      this.onTooLong();
    }
  }

  private endLine(): void {
    const line = this.length > this.maxBytes ? undefined : Buffer.concat(this.parts);
    this.parts.length = 0;
    this.length = 0;
    if (line) this.onLine(line.toString('utf8').replace(/\r$/, ''));
  }
}
