/** The change can only take effect in a new process. */
export class RestartRequired extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'RestartRequired';
  }
}
