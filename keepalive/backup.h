/* SPDX-License-Identifier: ISC */
/* The file that says, across restarts, that another node is the master.  In the parent. */
#ifndef KEEPALIVE_BACKUP_H
#define KEEPALIVE_BACKUP_H

int	backup_get(const char *path);		/* 1: it is there */
/* Makes it, or takes it away; 0, also when it was so before, or -1 and errno. */
int	backup_set(const char *path, int on);

#endif
