#include <array>

#include "connect/oracle/preflight/probes.h"

namespace wherry::oracle {
namespace {

constexpr std::string_view kNoBinaryReader =
    "redo is read with LogMiner, never from files: there is no Binary Reader";
constexpr std::string_view kNoMethod = "there is one method, LogMiner";
constexpr std::string_view kAnyLob = "large objects are loaded and applied whole in every mode";

constexpr std::array kNeedless = {
    connect::NeedlessAssessment{"oracle-batch-apply-lob-mode", kAnyLob},
    connect::NeedlessAssessment{"oracle-batch-apply-lob-999",
                                "batches go through COPY, which counts no parameters"},
    connect::NeedlessAssessment{"oracle-number-columns-without-scale",
                                "NUMBER without a scale becomes numeric, which holds all of it"},
    connect::NeedlessAssessment{"oracle-zero-archive-log-dest-id",
                                "archived logs are taken from whichever destination has them"},
    connect::NeedlessAssessment{"oracle-validate-standby-dblink",
                                "changes are read from the primary database"},
    connect::NeedlessAssessment{"oracle-binary-lob-source-validation",
                                "what LogMiner does not tell of a LOB is read from the table"},
    connect::NeedlessAssessment{"oracle-check-pdb-enabled",
                                "a pluggable database is mined from within (19.10 and later)"},
    connect::NeedlessAssessment{"oracle-recommendation-cdc-method", kNoMethod},
    connect::NeedlessAssessment{"oracle-recommend-cdc-method-by-compression", kNoMethod},
    connect::NeedlessAssessment{
        "oracle-check-app-pdb",
        "one of an application container is treated like any other pluggable database, which "
        "nobody has tried"},
    connect::NeedlessAssessment{"oracle-validate-adg-redirect-dml",
                                "oracle-check-standby-db refuses a standby"},
    connect::NeedlessAssessment{"oracle-validate-schema-only-accounts",
                                "users and roles are not migrated"},
    connect::NeedlessAssessment{"oracle-dms-compatibility-version-check",
                                "there is one version, that of this program"},
    connect::NeedlessAssessment{"oracle-check-rac", "the redo of all threads is read"},
    connect::NeedlessAssessment{"oracle-prerequisites-privileges-of-binary-reader-asm",
                                kNoBinaryReader},
    connect::NeedlessAssessment{"oracle-prerequisites-privileges-of-binary-reader-non-asm",
                                kNoBinaryReader},
    connect::NeedlessAssessment{
        "oracle-prerequisites-privileges-of-binary-reader-copy-to-temp-folder", kNoBinaryReader},
    connect::NeedlessAssessment{"oracle-check-binary-reader", kNoBinaryReader},
    connect::NeedlessAssessment{"oracle-check-binary-reader-hcc-full-load", kNoBinaryReader},
    connect::NeedlessAssessment{"oracle-check-binary-reader-hcc-full-load-and-cdc",
                                kNoBinaryReader},
    connect::NeedlessAssessment{"oracle-check-binary-reader-hcc-cdc", kNoBinaryReader},
    connect::NeedlessAssessment{"oracle-check-asm", kNoBinaryReader},
    connect::NeedlessAssessment{"oracle-check-directory-permissions", kNoBinaryReader},
    connect::NeedlessAssessment{"oracle-check-rds-standby-directories", kNoBinaryReader},
    connect::NeedlessAssessment{"oracle-check-physical-standby-with-apply",
                                "oracle-check-standby-db refuses a standby"},
    connect::NeedlessAssessment{"oracle-prerequisites-privileges-of-standby-as-source",
                                "oracle-check-standby-db refuses a standby"},
    connect::NeedlessAssessment{"oracle-check-tde-enabled",
                                "LogMiner decrypts what the open wallet lets it"},
    connect::NeedlessAssessment{"oracle-prerequisites-privileges-of-validation-feature",
                                "`wherry validate` reads with the privileges of a load"},
    connect::NeedlessAssessment{"oracle-validate-securefile-lobs", kAnyLob},
    connect::NeedlessAssessment{"oracle-validate-names-with-apostrophes",
                                "names with an apostrophe are like any other"},
    connect::NeedlessAssessment{"oracle-validate-limited-lob-mode-for-longs", kAnyLob},
    connect::NeedlessAssessment{"oracle-check-xml-columns", kAnyLob},
    connect::NeedlessAssessment{"oracle-check-extended-columns",
                                "extended VARCHAR2 and RAW are read like the short ones"},
    connect::NeedlessAssessment{
        "oracle-update-lob-columns",
        "an updated LOB that LogMiner does not tell is read from the table"},
    connect::NeedlessAssessment{"oracle-check-spatial-columns",
                                "unsupported-data-types-in-source names columns of object types"},
    connect::NeedlessAssessment{"oracle-validate-more-than-one-nesting-table-level",
                                "unsupported-data-types-in-source names nested tables"},
    connect::NeedlessAssessment{"oracle-check-bulk-array-size",
                                "sizes of arrays follow from the rows"},
    connect::NeedlessAssessment{"oracle-check-cdc-open-tx-window",
                                "the start finds open transactions by itself"},
    connect::NeedlessAssessment{"oracle-check-handlecollationdiff",
                                "`wherry validate` orders rows itself, whatever the collations"},
    connect::NeedlessAssessment{"oracle-check-pk-validity",
                                "`wherry validate` compares tables without a key too"},
};

}  // namespace

std::span<const connect::NeedlessAssessment> needless_assessments() {
  return kNeedless;
}

}  // namespace wherry::oracle
