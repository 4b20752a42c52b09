import { describe, expect, test } from 'vitest';
import { type BuildChoice, findBuildInputs } from '../../../src/images/source/build-inputs.ts';
import { parseDockerfile } from '../../../src/images/source/dockerfile.ts';

function find(lines: readonly string[], choice: Partial<BuildChoice> = {}) {
  const platform = 'linux/arm64';
  return findBuildInputs(parseDockerfile(lines.join('\n')), {
    ...{ platform, buildPlatform: 'linux/amd64' },
    ...choice,
  });
}
const findPaths = (...lines: readonly string[]) => find(lines).context;

/** In the shape of weAlist's Go services. */
const goService = [
  '# syntax=docker/dockerfile:1.4',
  'ARG GO=1.24',
  `FROM golang:\${GO}-bookworm AS builder`,
  'WORKDIR /app/services/user-service',
  'COPY packages/wealist-advanced-go-pkg/ /app/packages/wealist-advanced-go-pkg/',
  'COPY services/user-service/go.mod services/user-service/go.sum* ./',
  'RUN --mount=type=cache,target=/go/pkg/mod go mod download',
  'COPY services/user-service/ .',
  'RUN --mount=type=cache,target=/root/.cache go build -o /out/api ./cmd/api',
  'FROM alpine:latest',
  'COPY --from=builder /out/api /app/api',
  'COPY services/user-service/migrations /app/migrations',
];

test('a Go service reads its own folder and the shared package', () => {
  expect(find(goService)).toEqual({
    context: [
      'packages/wealist-advanced-go-pkg',
      'services/user-service/go.mod',
      'services/user-service/go.sum*',
      'services/user-service',
      'services/user-service/migrations',
    ],
    contexts: new Map(),
    images: ['alpine:latest', 'golang:1.24-bookworm'],
  });
  expect(find(goService, { ownStageOnly: true })).toMatchObject({
    context: ['services/user-service/migrations'],
    images: ['alpine:latest'],
  });
  expect(find(goService, { target: 'Builder', args: { GO: '1.25' } }).images).toEqual([
    'golang:1.25-bookworm',
  ]);
});

describe('only the stages that the target needs count', () => {
  const lines = [
    ...['FROM scratch AS base', 'COPY base /', 'FROM scratch AS unused', 'COPY unused /'],
    ...['FROM scratch AS other', 'COPY other /', 'FROM base AS test', 'COPY test /'],
    ...['FROM base', 'COPY --from=other /other /', 'RUN --mount=from=2,target=/x true', 'COPY last /'],
  ];
  test.each<[string | undefined, readonly string[]]>([
    [undefined, ['base', 'last', 'other']],
    ['test', ['base', 'test']],
    ['1', ['unused']],
  ])('target %s', (target, paths) => {
    expect([...(find(lines, { target }).context ?? [])].sort()).toEqual(paths);
  });

  test('an unknown target may read everything', () => {
    expect(find(lines, { target: 'nowhere' }).context).toBeUndefined();
  });
});

describe('what an instruction reads', () => {
  test.each<[string, readonly string[]]>([
    ['COPY --chown=1:1 --chmod=0755 a b/ ./c/../d /srv/', ['a', 'b', 'd']],
    ['COPY ["with space", "b", "/srv/"]', ['with space', 'b']],
    ['copy /root.txt ../above /srv/', ['root.txt', 'above']],
    ['COPY . /srv/', ['.']],
    ['COPY a \\\n  # a comment\n  b \\\n\n  c /srv/', ['a', 'b', 'c']],
    ['COPY <<EOF /srv/x\nCOPY evil /x\nEOF', []],
    ['COPY a <<-"EOF" b /srv/\nCOPY evil /x\nEOF\nCOPY c /', ['a', 'b', 'c']],
    ['RUN <<EOF\nCOPY evil /x\nEOF', []],
    ['ADD https://example.com/a.tgz git@example.com:a/b.git a.tar /srv/', ['a.tar']],
    ['RUN --mount=type=bind,source=go.mod,target=/x --mount=src=go.sum,dst=/y true', ['go.mod', 'go.sum']],
    ['RUN --mount=target=/src true', ['.']],
    ['RUN --mount=type=cache,target=/x --mount=type=secret,id=a --mount=type=ssh true', []],
    ['ONBUILD COPY later /', ['later']],
    ['COPY --from=nginx:1 /etc/nginx /x', []],
    [`COPY \${TARGETARCH:-x}/a /`, ['x/a']],
  ])('%s', (instruction, paths) => {
    expect(findPaths('FROM scratch', instruction)).toEqual(paths);
  });

  test.each([
    'COPY "a b" /srv/',
    'COPY a\\ b /srv/',
    'COPY ["a", "b"',
    "ENV A='$B'\nCOPY $A /",
    `COPY \${A#x} /`,
  ])('that cannot be told is the whole context: %s', (instruction) => {
    expect(findPaths('FROM scratch', 'COPY known /', instruction)).toBeUndefined();
  });
});

describe('variables', () => {
  test('come from ARG and ENV of the stage and those below it, and from the arguments of the build', () => {
    const lines = [
      ...[
        'ARG NAME=user',
        'ARG TAG',
        `FROM base:\${TAG:-1} AS base`,
        'ARG NAME',
        'ARG DIR=services/$NAME-service',
      ],
      ...['ENV OWN="$DIR/own" PLAIN=plain', 'FROM base', 'ARG PLAIN=other', 'ARG TARGETARCH'],
      ...[`COPY $DIR/main $OWN \${PLAIN}.txt lib-$TARGETARCH \${EMPTY-none} /`],
    ];
    expect(find(lines)).toMatchObject({
      context: undefined,
      images: ['base:1'],
    });
    const known = lines.map((line) => line.replace(` \${EMPTY-none}`, ''));
    expect(find(known).context).toEqual([
      ...['services/user-service/main', 'services/user-service/own', 'plain.txt', 'lib-arm64'],
    ]);
    expect(find(known, { args: { NAME: 'chat', TAG: '2' } })).toMatchObject({
      context: expect.arrayContaining(['services/chat-service/main']),
      images: ['base:2'],
    });
  });

  test('that a base image may set cannot be told', () => {
    expect(findPaths('FROM node:20', 'COPY $HOME/a /')).toBeUndefined();
    expect(findPaths('FROM node:20', 'ARG FOLDER', 'COPY $FOLDER/a /')).toBeUndefined();
    expect(findPaths('FROM scratch', 'COPY $NONE/a /')).toEqual(['a']);
    expect(findPaths('ARG B', 'FROM $B', 'COPY a /')).toBeUndefined();
  });
});

test('additional contexts come before images and stages of their name', () => {
  const lines = [
    'FROM scratch AS shared',
    'COPY own /',
    'FROM base',
    'COPY --from=shared /lib /x',
    'COPY a /',
  ];
  const found = find(lines, { contexts: ['shared', 'base'] });
  expect(found).toEqual({
    context: ['a'],
    contexts: new Map([
      ['base', ['.']],
      ['shared', ['lib']],
    ]),
    images: [],
  });
});

test('what is no Dockerfile may read everything', () => {
  expect(findPaths('hello')).toBeUndefined();
  expect(findPaths('')).toBeUndefined();
});
