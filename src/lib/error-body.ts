/** The `message` of a JSON answer that is a refusal, as Docker and Kubernetes both write it; undefined where there is none. */
export function findMessage(body: string): string | undefined {
  try {
    const { message } = JSON.parse(body);
    return typeof message === 'string' ? message : undefined;
  } catch {
    return undefined;
  }
}
