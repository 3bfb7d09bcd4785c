import { Module } from '@nestjs/common';
import { Conversations } from './conversations.service.js';

/** What was said in users' threads. Its store comes from the composition root. */
@Module({ providers: [Conversations], exports: [Conversations] })
export class ConversationsModule {}
