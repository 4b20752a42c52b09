import { serviceTable } from '../service-table.ts';

const routes = Object.values(serviceTable).flatMap(({ route }) => route ?? []);

/** What a browser asks, and what answers: the contract of `wealist.md` 2.5 with its fixes. */
export const contract: readonly (readonly [string, string])[] = [
  ['localhost/svc/auth/api/auth/me', 'auth-service /api/auth/me'],
  ['localhost/svc/auth', 'auth-service /'],
  ['localhost/svc/user/api/users/1', 'user-service /api/users/1'],
  ['localhost/svc/board/api/boards/1', 'board-service /api/boards/1'],
  ['localhost/svc/chat/api/chats/ws/presence', 'chat-service /api/chats/ws/presence'],
  ['localhost/svc/noti/api/notifications/stream', 'noti-service /api/notifications/stream'],
  ['localhost/svc/storage/api/storage/files', 'storage-service /api/storage/files'],
  ['localhost/svc/video/api/video/rooms', 'video-service /api/video/rooms'],
  ['localhost/svc/video/health/ready', 'video-service /health/ready'],
  ['localhost/svc/board/api/boards/ws/project/7', 'board-service /ws/project/7'],
  ['localhost/svc/board/api/boards/ws/projects', 'board-service /api/boards/ws/projects'],
  ['localhost/oauth2/authorization/google', 'auth-service /oauth2/authorization/google'],
  ['localhost/login/oauth2/code/google', 'auth-service /login/oauth2/code/google'],
  ['localhost/oauth/callback', 'frontend /oauth/callback'],
  ['localhost/', 'frontend /'],
  ['localhost/assets/index.js', 'frontend /assets/index.js'],
  ['localhost/svc/authentic', 'frontend /svc/authentic'],
  ['127.0.0.1/svc/auth/api/auth/me', 'auth-service /api/auth/me'],
  ['laptop.lan/', 'frontend /'],
  ['s3.localhost/wealist-files/a/b', 's3 /wealist-files/a/b'],
  ['s3.localhost/svc/auth/api/internal/x', 's3 /svc/auth/api/internal/x'],
  ...routes.flatMap((route) => [
    [`localhost/svc/${route}/api/internal`, 'closed'] as const,
    [`localhost/svc/${route}/api/internal/x`, 'closed'] as const,
    [`localhost/svc/${route}/api%2Finternal/x`, 'closed'] as const,
  ]),
];
