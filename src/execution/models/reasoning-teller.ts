/** So much of a thought is told at once; a model thinks in words of a few letters. */
const THOUGHT_CHARS = 600;
/** So much of what a model thinks in one call is told at all. */
const MAX_CHARS = 16_384;

/** Gathers what a model thinks into pieces that people can read, and cuts it. */
export class ReasoningTeller {
  private gathered = '';
  private told = 0;

  constructor(private readonly tell: (thought: string) => void) {}

  add(text: string): void {
    if (this.told >= MAX_CHARS) return;
    this.gathered += text;
    while (this.gathered.length >= THOUGHT_CHARS && this.told < MAX_CHARS) this.flush(endOfPiece(this.gathered));
  }

  /** What is gathered is complete. */
  end(): void {
    if (this.told < MAX_CHARS && this.gathered.trim() !== '') this.flush(this.gathered.length);
    this.gathered = '';
  }

  private flush(length: number): void {
    const piece = this.gathered.slice(0, length);
    this.gathered = this.gathered.slice(length);
    this.told += piece.length;
    this.tell(this.told < MAX_CHARS ? piece.trim() : `${piece.trim()} … [the rest is left out]`);
  }
}

/** After the last line or word that is whole. */
function endOfPiece(text: string): number {
  const piece = text.slice(0, THOUGHT_CHARS);
  const end = Math.max(piece.lastIndexOf('\n'), piece.lastIndexOf(' '));
  return end > 0 ? end + 1 : THOUGHT_CHARS;
}
