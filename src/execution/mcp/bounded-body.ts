const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Passes bytes on until a message is longer than it may be; then the stream fails with what `tooLong` makes. */
export function boundedBody(maxBytes: number, isEventStream: boolean, tooLong: () => Error) {
  const size = isEventStream ? new EventSize() : new WholeSize();
  return new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      if (size.add(chunk) > maxBytes) controller.error(tooLong());
      else controller.enqueue(chunk);
    },
  });
}

/** All of the answer is one message. */
class WholeSize {
  private bytes = 0;

  add(chunk: Uint8Array): number {
    return (this.bytes += chunk.length);
  }
}

/** A stream of events may be as long as it likes: each of them, which an empty line ends, is a message. */
class EventSize {
  private bytes = 0;
  private isLineEmpty = true;

  add(chunk: Uint8Array): number {
    let largest = 0;
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, from)) {
      const isEmpty = this.isLineEmpty && (end === from || (end === from + 1 && chunk[from] === CARRIAGE_RETURN));
      this.bytes += end + 1 - from;
      largest = Math.max(largest, this.bytes);
      if (isEmpty) this.bytes = 0;
      this.isLineEmpty = true;
      from = end + 1;
    }
    const rest = chunk.length - from;
    this.bytes += rest;
    if (rest > 1 || (rest === 1 && chunk[from] !== CARRIAGE_RETURN)) this.isLineEmpty = false;
    return Math.max(largest, this.bytes);
  }
}
