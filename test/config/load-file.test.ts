import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { imageReference } from '../../src/config/image-reference.ts';
import { loadFile } from '../../src/config/load-file.ts';
import { createCheckout } from './checkout.ts';

const schema = z.strictObject({ images: z.record(z.string(), imageReference) });
const load = async (text: string) =>
  loadFile({ checkout: await createCheckout({ 'images.yaml': text }), file: 'images.yaml', schema });

test('a file is read by its schema, with places', async () => {
  expect(await load('images: {redis: "redis:7.2-alpine"}')).toEqual({
    images: { redis: 'redis:7.2-alpine' },
  });
  await expect(load('images:\n  redis: 7\nimgs: {}')).rejects.toThrow(
    /^images\.yaml:2:10 images\.redis: got 7, expected an image .* \(text: in quotes\)\nimages\.yaml:3:1 imgs: got an unknown key, nearest is images$/,
  );
});

test('a missing file is named', async () => {
  const checkout = await createCheckout();
  await expect(loadFile({ checkout, file: 'images.yaml', schema })).rejects.toThrow(
    'images.yaml: missing, expected a file',
  );
});

const digest = `sha256:${'0a'.repeat(32)}`;

describe('an image', () => {
  test.each([
    'redis:7.2-alpine',
    'docker.io/library/postgres:17.5-alpine',
    'localhost:5000/a/b_c/d-e:v1',
    `registry.k8s.io/ingress-nginx/controller:v1.15.1@${digest}`,
    `127.0.0.1:5001/x@${digest}`,
  ])('may be %s', async (reference) => {
    expect(await load(`images: {x: "${reference}"}`)).toEqual({ images: { x: reference } });
  });

  test.each([
    ['redis', 'a fixed tag or a digest'],
    ['redis:latest', 'a fixed tag or a digest'],
    ['localhost:5000/redis', 'a fixed tag or a digest'],
    ['localhost:5000/redis:latest', 'a fixed tag or a digest'],
    ['Redis:7', 'an image with its tag'],
    ['redis:', 'an image with its tag'],
    ['redis:7 ', 'an image with its tag'],
    ['https://docker.io/redis:7', 'an image with its tag'],
    ['redis@sha256:12', 'an image with its tag'],
    ['-redis:7', 'an image with its tag'],
    ['../redis:7', 'an image with its tag'],
    ['redis:$(id)', 'an image with its tag'],
    ['', 'an image with its tag'],
  ])('is not %j', async (reference, expected) => {
    await expect(load(`images:\n  x: "${reference}"`)).rejects.toThrow(
      `images.yaml:2:6 images.x: got "${reference}", expected ${expected}`,
    );
  });
});
