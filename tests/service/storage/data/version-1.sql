BEGIN TRANSACTION;
CREATE TABLE answers (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id VARCHAR(40) NOT NULL, 
	asker VARCHAR(64) NOT NULL, 
	conversation_id VARCHAR(64) NOT NULL, 
	collection VARCHAR(64) NOT NULL, 
	question TEXT NOT NULL, 
	reply TEXT NOT NULL, 
	created VARCHAR(32) NOT NULL, 
	UNIQUE (id)
);
INSERT INTO "answers" VALUES(7,'ans_1','key_1','conv_1','clinic','When?','{"id": "ans_1"}','2026-11-03T08:00:00Z');
CREATE TABLE collections (
	name VARCHAR(64) NOT NULL, 
	scope TEXT NOT NULL, 
	questions TEXT NOT NULL, 
	disclaimer TEXT NOT NULL, 
	fetched VARCHAR(40), 
	licence_confirmed VARCHAR(40), 
	PRIMARY KEY (name)
);
INSERT INTO "collections" VALUES('clinic','I know the hours.','[]','',NULL,NULL);
CREATE TABLE connections (
	name VARCHAR(64) NOT NULL, 
	platform VARCHAR(32) NOT NULL, 
	settings TEXT NOT NULL, 
	created VARCHAR(40) NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "connections" VALUES('desk','zammad','{"options": {}, "hook_secrets": [], "emergency_to_customer": false, "reply_from": null}','2026-11-01T08:00:00+00:00');
CREATE TABLE documents (
	id VARCHAR(64) NOT NULL, 
	collection VARCHAR(64) NOT NULL, 
	version VARCHAR(80) NOT NULL, 
	title TEXT NOT NULL, 
	text TEXT NOT NULL, 
	source TEXT NOT NULL, 
	sections TEXT NOT NULL, 
	created VARCHAR(32) NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "documents" VALUES('doc_1','clinic','sha256:ab','Hours','We open at nine.','{"id": "src_1", "title": "Hours", "publisher": "Clinic", "publisher_short": "Clinic", "url": "https://clinic.example/hours", "collection": "clinic"}','[{"heading_path": ["Hours"], "span": {"start": 0, "end": 16}, "anchor": null, "page": null}]','2026-11-01T08:00:00+00:00');
CREATE TABLE feedback (
	id VARCHAR(40) NOT NULL, 
	answer_id VARCHAR(40) NOT NULL, 
	asker VARCHAR(64) NOT NULL, 
	citation_id VARCHAR(16) NOT NULL, 
	verdict VARCHAR(8) NOT NULL, 
	reason VARCHAR(16), 
	text TEXT, 
	created VARCHAR(32) NOT NULL, 
	updated VARCHAR(32) NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (answer_id, asker, citation_id), 
	FOREIGN KEY(answer_id) REFERENCES answers (id) ON DELETE CASCADE
);
INSERT INTO "feedback" VALUES('fb_1','ans_1','key_1','','no','wrong','Ten!','2026-11-03T08:01:00Z','2026-11-03T08:01:00Z');
CREATE TABLE keys (
	id VARCHAR(32) NOT NULL, 
	name TEXT NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	scopes TEXT NOT NULL, 
	collections TEXT, 
	created VARCHAR(40) NOT NULL, 
	expires VARCHAR(40), 
	revoked VARCHAR(40), 
	rate INTEGER, 
	PRIMARY KEY (id), 
	UNIQUE (hash)
);
INSERT INTO "keys" VALUES('key_1','desk','0000','["ask"]',NULL,'2026-11-01T08:00:00+00:00',NULL,NULL,60);
CREATE TABLE marks (
	name VARCHAR(64) NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "marks" VALUES('desk','12');
CREATE TABLE outbox (
	id VARCHAR(40) NOT NULL, 
	channel VARCHAR(32) NOT NULL, 
	target VARCHAR(64) NOT NULL, 
	"key" VARCHAR(64), 
	thread VARCHAR(64), 
	payload TEXT NOT NULL, 
	state VARCHAR(8) NOT NULL, 
	attempts INTEGER NOT NULL, 
	due FLOAT NOT NULL, 
	reason TEXT NOT NULL, 
	created FLOAT NOT NULL, 
	asker VARCHAR(64), 
	conversation_id VARCHAR(64), 
	PRIMARY KEY (id), 
	UNIQUE ("key")
);
INSERT INTO "outbox" VALUES('out_1','helpdesk','desk','k','t','{}','done',0,1.5,'',1.5,NULL,NULL);
CREATE TABLE signing_keys (
	id VARCHAR(16) NOT NULL, 
	secret VARCHAR(64) NOT NULL, 
	created VARCHAR(40) NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "signing_keys" VALUES('aa','bb','2026-11-01T08:00:00+00:00');
CREATE TABLE versions (
	document_id VARCHAR(64) NOT NULL, 
	version VARCHAR(80) NOT NULL, 
	withdrawn VARCHAR(40), 
	PRIMARY KEY (document_id, version)
);
INSERT INTO "versions" VALUES('doc_1','sha256:ab',NULL);
INSERT INTO "versions" VALUES('doc_0','sha256:cd','2026-11-02T08:00:00+00:00');
CREATE TABLE widget_state (
	id INTEGER NOT NULL, 
	paused BOOLEAN NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "widget_state" VALUES(1,1);
CREATE TABLE withdrawals (
	id INTEGER NOT NULL, 
	count INTEGER NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "withdrawals" VALUES(1,1);
CREATE INDEX ix_documents_collection ON documents (collection);
CREATE INDEX ix_answers_created ON answers (created);
CREATE INDEX answers_of_conversation ON answers (conversation_id, asker);
CREATE INDEX ix_outbox_state ON outbox (state);
CREATE INDEX ix_outbox_thread ON outbox (thread);
CREATE INDEX ix_outbox_conversation_id ON outbox (conversation_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('answers',7);
COMMIT;
