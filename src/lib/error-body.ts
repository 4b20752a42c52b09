/** The `message` of an error response in JSON, as Docker and Kubernetes both send it; undefined where it has none. */
export function findMessage(body: string): string | undefined {
  try {
    const { message } = JSON.parse(body);
    return typeof message === 'string' ? message : undefined;
  } catch {
    return undefined;
  }
}
