import { exitCodes } from '../../lib/failure.ts';
import type { FailureRule, FailureRules } from '../failure-rules.ts';

/** Of a cluster that cannot be connected to. */
export const notReachable = 'the cluster does not respond';

/** A server that ends its connections, or is not there, as while it restarts. */
const restarting =
  /was refused|connection refused|ECONNREFUSED|connection reset|ECONNRESET|socket hang up|socket disconnected|unexpected EOF|\bEOF$|\baborted$|failed to download openapi: unknown/m;

/**
 * Failures of requests to an API server: as kubectl prints them (`Error from server (Forbidden): …`), as Go and Node
 * describe a connection that failed. What an API server rejects is exit code 5, what it denies by a policy is 9.
 */
const rules: readonly FailureRule[] = [
  {
    pattern: /violates PodSecurity/,
    hint: 'npm run kubectl -- get namespaces --label-columns=pod-security.kubernetes.io/enforce',
    exitCode: exitCodes.refused,
  },
  {
    pattern: /failed calling webhook/,
    hint: 'npm run kubectl -- get validatingwebhookconfigurations,mutatingwebhookconfigurations',
  },
  {
    pattern:
      /admission webhook "[^"]*" denied the request|ValidatingAdmissionPolicy '[^']*'.* denied request/,
    hint: 'npm run kubectl -- get validatingwebhookconfigurations,validatingadmissionpolicies',
    exitCode: exitCodes.refused,
  },
  {
    pattern: /because it is being terminated/,
    hint: 'npm run kubectl -- wait --for=delete namespace --all --timeout=1m',
  },
  {
    pattern: /exceeded quota/,
    hint: 'npm run kubectl -- describe resourcequotas --all-namespaces',
  },
  {
    pattern: /\(Forbidden\)|is forbidden: User/,
    hint: 'ask an administrator of the cluster for this right; those you have: kubectl auth can-i --list',
    exitCode: exitCodes.refused,
  },
  {
    pattern: /getting credentials: exec/,
    hint: 'aws sso login',
  },
  {
    pattern:
      /\(Unauthorized\)|You must be logged in to the server|asked for the client to provide credentials/,
    hint: 'npm run up; for a remote cluster: log in again, as with aws sso login',
  },
  {
    pattern: /is waiting to start|previous terminated container .* not found|container not found/,
    hint: 'npm run why',
    exitCode: exitCodes.workload,
  },
  {
    pattern: /timed out waiting for the condition/,
    hint: 'npm run why',
    exitCode: exitCodes.workload,
  },
  {
    pattern:
      /the server doesn't have a resource type|no matches for kind|could not find the requested resource/,
    hint: 'npm run kubectl -- api-resources',
  },
  {
    pattern: /\(NotFound\)/,
    hint: 'npm run status',
  },
  {
    pattern: /\(AlreadyExists\)|\(Conflict\)|the object has been modified|Apply failed with \d+ conflict/,
    hint: 'another client changed the object meanwhile: run it again',
  },
  {
    pattern: /\(Invalid\)| is invalid: |field is immutable|error validating |strict decoding error/,
    hint: 'correct the field that is named; one that is immutable changes when the object is deleted first',
  },
  {
    pattern: /\(TooManyRequests\)|too many requests/i,
    hint: 'the API server is overloaded: run it again in a minute',
  },
  {
    pattern: /certificate has expired|not yet valid|CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/,
    hint: 'compare this clock with that of the cluster: date --utc',
    message: 'the certificate of the API server is not valid at this time',
  },
  {
    pattern:
      /x509:|self-signed certificate|unable to verify the first certificate|unable to get local issuer|altnames/,
    hint: 'npm run up; for a remote cluster: npm run env trust',
    message: 'the certificate of the API server is not that of the kubeconfig',
  },
  {
    pattern:
      /no such host|server misbehaving|ENOTFOUND|EAI_AGAIN|no route to host|EHOSTUNREACH|network is unreachable|ENETUNREACH/,
    hint: 'check the network or VPN, then run it again',
    message: notReachable,
  },
  {
    pattern: restarting,
    hint: 'npm run status',
    message: notReachable,
  },
  {
    pattern:
      /\(Timeout\)|i\/o timeout|TLS handshake timeout|deadline exceeded|request timed out|ETIMEDOUT|no response in/,
    hint: 'npm run status',
    message: notReachable,
  },
];

/**
 * A server that is about to end, or has just started: until it has read the roles, it forbids everything to the administrator
 * of a cluster as well, who is otherwise forbidden nothing.
 */
const starting =
  /\((?:ServiceUnavailable|503)\)|currently unable to handle the request|is shutting down|is forbidden: User \\?"kubernetes-admin\\?"/;

/** Whether a failed request, or what a program printed of one, says that the API server is gone for the moment. */
export function isRestarting(text: string): boolean {
  return restarting.test(text) || starting.test(text);
}

/** Failures of the API server, asked directly or by kubectl. */
export const apiFailures: FailureRules = { exitCode: exitCodes.cluster, hint: 'npm run status', rules };

/** The reasons that the API server gives with these HTTP statuses; kubectl prints them in parentheses. */
const reasons: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  422: 'Invalid',
  429: 'TooManyRequests',
  504: 'Timeout',
};

/** A rejected request in kubectl's words, so that the same rules apply to it. */
export function toServerError(status: number, message: string): string {
  return `Error from server (${reasons[status] ?? status}): ${message}`;
}
