/** A bare WebSocket that notes the texts it gets. */
export class RawClient {
  readonly closed: Promise<void>;
  private readonly texts: string[] = [];
  private readonly socket: WebSocket;

  constructor(url: string) {
    this.socket = new WebSocket(url);
    this.closed = new Promise((resolve) => this.socket.addEventListener('close', () => resolve()));
    this.socket.addEventListener('message', ({ data }) => this.texts.push(String(data)));
  }

  send(text: string): void {
    this.socket.send(text);
  }

  /** Resolves with the first text, past or future, that fits. */
  received(fits: (text: string) => boolean): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const text = this.texts.find(fits);
        if (text !== undefined) resolve(text);
      };
      this.socket.addEventListener('message', look);
      this.socket.addEventListener('close', () => reject(new Error(`closed; received ${this.texts.join(' ')}`)));
      look();
    });
  }
}
