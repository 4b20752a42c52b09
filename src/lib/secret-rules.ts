export interface SecretRule {
  /** Minimum length in UTF-8; 0 allows it to be empty. */
  readonly minBytes: number;
  /** The default, in place of a random value. */
  readonly initial?: string;
}

/** The secrets of the platform, the keys of the Secret `wealist-shared-secret`. */
export const secretRules = {
  DB_PASSWORD: { minBytes: 1 },
  REDIS_PASSWORD: { minBytes: 0, initial: '' },
  S3_ACCESS_KEY: { minBytes: 3 },
  S3_SECRET_KEY: { minBytes: 8 },
  INTERNAL_API_KEY: { minBytes: 1 },
  // HS512 refuses a shorter key, at the first login only.
  JWT_SECRET: { minBytes: 64 },
  // Google's login stays off with these, but auth-service starts, which it does not without any.
  GOOGLE_CLIENT_ID: { minBytes: 1, initial: 'placeholder-client-id.apps.googleusercontent.com' },
  GOOGLE_CLIENT_SECRET: { minBytes: 1, initial: 'placeholder-client-secret' },
  LIVEKIT_API_KEY: { minBytes: 1 },
  LIVEKIT_API_SECRET: { minBytes: 32 },
} as const satisfies Readonly<Record<string, SecretRule>>;

export type SecretKey = keyof typeof secretRules;

export const secretKeys = Object.keys(secretRules) as readonly SecretKey[];
