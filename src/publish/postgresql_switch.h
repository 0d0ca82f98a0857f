/* The one transaction that readers of a PostgreSQL schema notice. Local. */
#ifndef VESPER_PUBLISH_POSTGRESQL_SWITCH_H
#define VESPER_PUBLISH_POSTGRESQL_SWITCH_H

#include "publish/postgresql_session.h"

/* Refuses if something outside rests on a published table and could not follow to the next night.
 */
Status postgresql_switch_check_dependents(PostgresqlSession *session, Error *error) VESPER_MUST_USE;

/* Run `work` (sql_target_switch, sql_target_switch_back) alone with the tables; views follow. */
Status postgresql_switch(PostgresqlSession *session, const SqlTarget *target,
                         Status (*work)(const SqlTarget *target, Error *error),
                         Error *error) VESPER_MUST_USE;

#endif
