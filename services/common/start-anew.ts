/** What only a process that starts anew can do. */
export class StartAnew extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'StartAnew';
  }
}
