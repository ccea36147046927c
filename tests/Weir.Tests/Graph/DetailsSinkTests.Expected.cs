namespace Weir.Tests.Graph;

/// <summary>A trace with every field class that there is, and what babeltrace2 2.1.1 prints of it.</summary>
public partial class DetailsSinkTests
{
    private const string Metadata = """
        {"type": "preamble", "version": 2}
        {"type": "trace-class", "namespace": "tns", "name": "tname", "uid": "tuid", "environment": {"zz": 1, "aa": "text", "big": -123456}, "attributes": {"my.ns": {"neg": -20000, "list": [1, 2.5, "x", null, true, [], {}], "big": 18446744073709551615}}, "packet-header-field-class": {"type": "structure", "member-classes": [{"name": "magic", "field-class": {"type": "fixed-length-unsigned-integer", "length": 32, "alignment": 8, "byte-order": "little-endian", "roles": ["packet-magic-number"]}}, {"name": "id", "field-class": {"type": "fixed-length-unsigned-integer", "length": 8, "alignment": 8, "byte-order": "little-endian", "roles": ["data-stream-class-id"]}}, {"name": "inst", "field-class": {"type": "fixed-length-unsigned-integer", "length": 8, "alignment": 8, "byte-order": "little-endian", "roles": ["data-stream-id"]}}]}}
        {"type": "clock-class", "id": "c1", "namespace": "cns", "name": "cname", "uid": "cuid", "frequency": 1000000, "origin": {"namespace": "ons", "name": "oname", "uid": "ouid"}, "offset-from-origin": {"seconds": -12, "cycles": 345678}, "precision": 12345, "accuracy": 9, "description": "desc here"}
        {"type": "data-stream-class", "id": 3, "namespace": "sns", "name": "sname", "uid": "suid", "default-clock-class-id": "c1", "packet-context-field-class": {"type": "structure", "member-classes": [{"name": "ts", "field-class": {"type": "fixed-length-unsigned-integer", "length": 64, "alignment": 8, "byte-order": "little-endian", "roles": ["packet-total-length"]}}, {"name": "times", "field-class": {"type": "structure", "member-classes": [{"name": "tb", "field-class": {"type": "fixed-length-unsigned-integer", "length": 64, "alignment": 8, "byte-order": "little-endian", "roles": ["default-clock-timestamp"]}}]}}, {"name": "te", "field-class": {"type": "fixed-length-unsigned-integer", "length": 64, "alignment": 8, "byte-order": "little-endian", "roles": ["packet-end-default-clock-timestamp"]}}, {"name": "disc", "field-class": {"type": "fixed-length-unsigned-integer", "length": 64, "alignment": 8, "byte-order": "little-endian", "roles": ["discarded-event-record-counter-snapshot"]}}, {"name": "seq", "field-class": {"type": "fixed-length-unsigned-integer", "length": 64, "alignment": 8, "byte-order": "little-endian", "roles": ["packet-sequence-number"]}}, {"name": "n", "field-class": {"type": "fixed-length-unsigned-integer", "length": 8, "alignment": 8, "byte-order": "little-endian"}}]}, "event-record-header-field-class": {"type": "structure", "member-classes": [{"name": "id", "field-class": {"type": "fixed-length-unsigned-integer", "length": 8, "alignment": 8, "byte-order": "little-endian", "roles": ["event-record-class-id"]}}, {"name": "t", "field-class": {"type": "fixed-length-unsigned-integer", "length": 32, "alignment": 8, "byte-order": "little-endian", "roles": ["default-clock-timestamp"]}}]}, "event-record-common-context-field-class": {"type": "structure", "member-classes": [{"name": "cc", "field-class": {"type": "fixed-length-unsigned-integer", "length": 8, "alignment": 8, "byte-order": "little-endian"}}]}}
        {"type": "event-record-class", "id": 5, "data-stream-class-id": 3, "namespace": "ens", "name": "ename", "uid": "euid", "attributes": {"babeltrace.org,2020": {"log-level": "warning", "emf-uri": "http://x"}, "other": {"x": 1}}, "specific-context-field-class": {"type": "structure", "member-classes": [{"name": "sc", "field-class": {"type": "fixed-length-unsigned-integer", "length": 16, "alignment": 8, "byte-order": "little-endian"}}]}, "payload-field-class": {"type": "structure", "member-classes": [{"name": "u8", "field-class": {"type": "fixed-length-unsigned-integer", "length": 8, "alignment": 8, "byte-order": "little-endian"}}, {"name": "s16", "field-class": {"type": "fixed-length-signed-integer", "length": 16, "alignment": 8, "byte-order": "little-endian", "preferred-display-base": 16}}, {"name": "octal", "field-class": {"type": "fixed-length-unsigned-integer", "length": 32, "alignment": 8, "byte-order": "little-endian", "preferred-display-base": 8, "attributes": {"my.ns": {"neg": -20000, "list": [1, 2.5, "x", null, true, [], {}], "big": 18446744073709551615}}}}, {"name": "binary", "field-class": {"type": "fixed-length-signed-integer", "length": 8, "alignment": 8, "byte-order": "little-endian", "preferred-display-base": 2}}, {"name": "enum", "field-class": {"type": "fixed-length-unsigned-integer", "length": 64, "alignment": 8, "byte-order": "little-endian", "mappings": {"zed": [[1, 2], [5, 5], [9223372036854775808, 18446744073709551615]], "abc": [[7, 7]]}}}, {"name": "flag", "field-class": {"type": "fixed-length-boolean", "length": 8, "alignment": 8, "byte-order": "little-endian"}}, {"name": "bits", "field-class": {"type": "fixed-length-bit-array", "length": 24, "alignment": 8, "byte-order": "little-endian"}}, {"name": "map", "field-class": {"type": "fixed-length-bit-map", "length": 16, "alignment": 8, "byte-order": "little-endian", "flags": {"x": [[0, 1]], "a": [[2, 2], [4, 5]]}, "attributes": {"my.ns": {"neg": -20000, "list": [1, 2.5, "x", null, true, [], {}], "big": 18446744073709551615}}}}, {"name": "single", "field-class": {"type": "fixed-length-floating-point-number", "length": 32, "alignment": 8, "byte-order": "little-endian"}}, {"name": "double", "field-class": {"type": "fixed-length-floating-point-number", "length": 64, "alignment": 8, "byte-order": "little-endian"}}, {"name": "text", "field-class": {"type": "null-terminated-string"}}, {"name": "four", "field-class": {"type": "static-length-string", "length": 4}}, {"name": "length", "field-class": {"type": "fixed-length-unsigned-integer", "length": 8, "alignment": 8, "byte-order": "little-endian"}}, {"name": "dynamic text", "field-class": {"type": "dynamic-length-string", "length-field-location": {"origin": "event-record-payload", "path": ["length"]}}}, {"name": "blob", "field-class": {"type": "static-length-blob", "length": 17, "media-type": "text/plain"}}, {"name": "dynamic blob", "field-class": {"type": "dynamic-length-blob", "length-field-location": {"origin": "packet-context", "path": ["n"]}}}, {"name": "array", "field-class": {"type": "static-length-array", "length": 2, "element-field-class": {"type": "fixed-length-unsigned-integer", "length": 8, "alignment": 8, "byte-order": "little-endian"}, "attributes": {"my.ns": {"neg": -20000, "list": [1, 2.5, "x", null, true, [], {}], "big": 18446744073709551615}}}}, {"name": "sequence", "field-class": {"type": "dynamic-length-array", "length-field-location": {"origin": "event-record-payload", "path": ["length"]}, "element-field-class": {"type": "structure", "member-classes": [{"name": "q", "field-class": {"type": "fixed-length-unsigned-integer", "length": 8, "alignment": 8, "byte-order": "little-endian"}}]}}}, {"name": "nothing", "field-class": {"type": "static-length-array", "length": 0, "element-field-class": {"type": "fixed-length-unsigned-integer", "length": 8, "alignment": 8, "byte-order": "little-endian"}}}, {"name": "there", "field-class": {"type": "optional", "selector-field-location": {"origin": "event-record-payload", "path": ["u8"]}, "selector-field-ranges": [[7, 9], [1, 1]], "field-class": {"type": "structure", "member-classes": [{"name": "in", "field-class": {"type": "fixed-length-unsigned-integer", "length": 8, "alignment": 8, "byte-order": "little-endian"}}]}}}, {"name": "missing", "field-class": {"type": "optional", "selector-field-location": {"origin": "event-record-payload", "path": ["s16"]}, "selector-field-ranges": [[-7, -5]], "field-class": {"type": "fixed-length-unsigned-integer", "length": 8, "alignment": 8, "byte-order": "little-endian"}}}, {"name": "choice", "field-class": {"type": "variant", "selector-field-location": {"origin": "event-record-payload", "path": ["u8"]}, "options": [{"name": "first", "selector-field-ranges": [[250, 255], [7, 7]], "field-class": {"type": "fixed-length-unsigned-integer", "length": 8, "alignment": 8, "byte-order": "little-endian"}}, {"selector-field-ranges": [[1, 1]], "field-class": {"type": "structure", "member-classes": []}}], "attributes": {"my.ns": {"neg": -20000, "list": [1, 2.5, "x", null, true, [], {}], "big": 18446744073709551615}}}}, {"name": "by context", "field-class": {"type": "variant", "selector-field-location": {"origin": "packet-context", "path": ["n"]}, "options": [{"name": "only", "selector-field-ranges": [[2, 2]], "field-class": {"type": "fixed-length-unsigned-integer", "length": 8, "alignment": 8, "byte-order": "little-endian"}}]}}, {"name": "leb", "field-class": {"type": "variable-length-signed-integer", "mappings": {"m": [[-5, 5]]}}}, {"name": "noted", "field-class": {"type": "fixed-length-unsigned-integer", "length": 8, "alignment": 8, "byte-order": "little-endian"}, "attributes": {"my.ns": {"neg": -20000, "list": [1, 2.5, "x", null, true, [], {}], "big": 18446744073709551615}}}, {"name": "empty", "field-class": {"type": "structure", "member-classes": []}}, {"name": "inner", "field-class": {"type": "structure", "member-classes": [{"name": "x", "field-class": {"type": "fixed-length-unsigned-integer", "length": 8, "alignment": 8, "byte-order": "little-endian"}}], "attributes": {"my.ns": {"neg": -20000, "list": [1, 2.5, "x", null, true, [], {}], "big": 18446744073709551615}}}}]}}
        {"type": "event-record-class", "id": 1, "data-stream-class-id": 3}
        """;

    private const string Stream =
        "c11ffcc1030230040000000000006400000000000000d007000000000000030000000000000004000000000000000205e80300000b580207d4fe77390500f0ff" +
        "ffffffffffffff0101020335000000c03fabaaaa2ad4d5e8c168690061620063027879000102030405060708090a0b0c0d0e0f107a7a01020304092a4d7f0105" +
        "01dc0500000cc11ffcc10302a801000000000000b80b000000000000a00f0000000000000a0000000000000007000000000000000201ac0d00000d";

    private const string Expected = """
        Trace class:
          User attributes:
            my.ns:
              big: 18,446,744,073,709,551,615
              list: Length 7:
                [0]: 1
                [1]: 2.500000
                [2]: x
                [3]: Null
                [4]: Yes
                [5]: Empty
                [6]: Empty
              neg: -20,000
          Stream class `sname` (Namespace `sns`, UID `suid`, ID 3):
            Supports packets: Yes
            Packets have beginning default clock snapshot: Yes
            Packets have end default clock snapshot: Yes
            Supports discarded events: Yes
            Discarded events have default clock snapshots: Yes
            Supports discarded packets: Yes
            Discarded packets have default clock snapshots: Yes
            Default clock class:
              Namespace: cns
              Name: cname
              UID: cuid
              Description: desc here
              Frequency (Hz): 1,000,000
              Precision (cycles): 12,345
              Accuracy (cycles): 9
              Offset from origin (s): -12
              Offset from origin (cycles): 345,678
              Origin:
                Namespace: ons
                Name: oname
                UID: ouid
            Packet context field class: Structure (2 members):
              times: Structure (0 members)
              n: Unsigned integer (8-bit, Base 10)
            Event common context field class: Structure (1 member):
              cc: Unsigned integer (8-bit, Base 10)
            Event class (ID 1):
            Event class `ename` (Namespace `ens`, UID `euid`, ID 5):
              User attributes:
                other:
                  x: 1
              Log level: Warning
              EMF URI: http://x
              Specific context field class: Structure (1 member):
                sc: Unsigned integer (16-bit, Base 10)
              Payload field class: Structure (27 members):
                u8: Unsigned integer (8-bit, Base 10)
                s16: Signed integer (16-bit, Base 16)
                octal: Unsigned integer (32-bit, Base 8):
                  User attributes:
                    my.ns:
                      big: 18,446,744,073,709,551,615
                      list: Length 7:
                        [0]: 1
                        [1]: 2.500000
                        [2]: x
                        [3]: Null
                        [4]: Yes
                        [5]: Empty
                        [6]: Empty
                      neg: -20,000
                binary: Signed integer (8-bit, Base 2)
                enum: Unsigned enumeration (64-bit, Base 10, 2 mappings):
                  abc: [7]
                  zed: [1, 2] [5] [9,223,372,036,854,775,808, 18,446,744,073,709,551,615]
                flag: Boolean
                bits: Bit array 0 flags)
                map: Bit array 2 flags):
                  User attributes:
                    my.ns:
                      big: 18,446,744,073,709,551,615
                      list: Length 7:
                        [0]: 1
                        [1]: 2.500000
                        [2]: x
                        [3]: Null
                        [4]: Yes
                        [5]: Empty
                        [6]: Empty
                      neg: -20,000
                  Flags:
                    a: [2] [4, 5]
                    x: [0, 1]
                single: Single-precision real
                double: Double-precision real
                text: String
                four: String
                length: Unsigned integer (8-bit, Base 10)
                dynamic text: String
                blob: Static BLOB (Length 17, Media type `text/plain`)
                dynamic blob: Dynamic BLOB (no length field) (Media type `application/octet-stream`)
                array: Static array (Length 2):
                  User attributes:
                    my.ns:
                      big: 18,446,744,073,709,551,615
                      list: Length 7:
                        [0]: 1
                        [1]: 2.500000
                        [2]: x
                        [3]: Null
                        [4]: Yes
                        [5]: Empty
                        [6]: Empty
                      neg: -20,000
                  Element: Unsigned integer (8-bit, Base 10)
                sequence: Dynamic array (with length field) (Length field location [Event payload: length]):
                  Element: Structure (1 member):
                    q: Unsigned integer (8-bit, Base 10)
                nothing: Static array (Length 0):
                  Element: Unsigned integer (8-bit, Base 10)
                there: Option (unsigned integer selector) (Selector field location [Event payload: u8]):
                  Selector ranges: [1] [7, 9]
                  Content: Structure (1 member):
                    in: Unsigned integer (8-bit, Base 10)
                missing: Option (signed integer selector) (Selector field location [Event payload: s16]):
                  Selector ranges: [-7, -5]
                  Content: Unsigned integer (8-bit, Base 10)
                choice: Variant (unsigned integer selector) (2 options, Selector field location [Event payload: u8]):
                  User attributes:
                    my.ns:
                      big: 18,446,744,073,709,551,615
                      list: Length 7:
                        [0]: 1
                        [1]: 2.500000
                        [2]: x
                        [3]: Null
                        [4]: Yes
                        [5]: Empty
                        [6]: Empty
                      neg: -20,000
                  Options:
                    first: [7] [250, 255]: Unsigned integer (8-bit, Base 10)
                    Unnamed: [1]: Structure (0 members)
                by context: Variant (no selector) (1 option):
                  only: Unsigned integer (8-bit, Base 10)
                leb: Signed enumeration (64-bit, Base 10, Expect small values, 1 mapping):
                  m: [-5, 5]
                noted:
                  Field class: Unsigned integer (8-bit, Base 10)
                  User attributes:
                    my.ns:
                      big: 18,446,744,073,709,551,615
                      list: Length 7:
                        [0]: 1
                        [1]: 2.500000
                        [2]: x
                        [3]: Null
                        [4]: Yes
                        [5]: Empty
                        [6]: Empty
                      neg: -20,000
                empty: Structure (0 members)
                inner: Structure (1 member):
                  User attributes:
                    my.ns:
                      big: 18,446,744,073,709,551,615
                      list: Length 7:
                        [0]: 1
                        [1]: 2.500000
                        [2]: x
                        [3]: Null
                        [4]: Yes
                        [5]: Empty
                        [6]: Empty
                      neg: -20,000
                  Members:
                    x: Unsigned integer (8-bit, Base 10)

        [Unknown]
        {Trace 0, Stream class ID 3, Stream ID 2}
        Stream beginning:
          Class name: sname
          Trace `` (Namespace `tns`, UID `tuid`):
            Environment (3 entries):
              aa: text
              big: -123,456
              zz: 1
            Stream (ID 2, Class ID 3)

        [100 cycles, -11,654,222,000 ns from origin]
        {Trace 0, Stream class ID 3, Stream ID 2}
        Packet beginning:
          Context:
            times: Empty
            n: 2

        [1000 cycles, -11,653,322,000 ns from origin]
        {Trace 0, Stream class ID 3, Stream ID 2}
        Event `ename` (Class ID 5):
          Common context:
            cc: 11
          Specific context:
            sc: 600
          Payload:
            u8: 7
            s16: -0x12c
            octal: 01:234:567
            binary: -0x10
            enum: 18,446,744,073,709,551,615
            flag: Yes
            bits: 0x3:0201
            map: 0x35
            single: 1.500000
            double: -3333333333.333333
            text: hi
            four: ab
            length: 2
            dynamic text: xy
            blob: Length 17:
              00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f
              10
            dynamic blob: Length 2:
              7a 7a
            array: Length 2:
              [0]: 1
              [1]: 2
            sequence: Length 2:
              [0]:
                q: 3
              [1]:
                q: 4
            nothing: Empty
            there:
              in: 9
            missing: None
            choice: 42
            by context: 77
            leb: -1
            noted: 1
            empty: Empty
            inner:
              x: 5

        [1500 cycles, -11,652,822,000 ns from origin]
        {Trace 0, Stream class ID 3, Stream ID 2}
        Event (Class ID 1):
          Common context:
            cc: 12

        [2000 cycles, -11,652,322,000 ns from origin]
        {Trace 0, Stream class ID 3, Stream ID 2}
        Packet end

        [2000 cycles, -11,652,322,000 ns from origin]
        [4000 cycles, -11,650,322,000 ns from origin]
        {Trace 0, Stream class ID 3, Stream ID 2}
        Discarded events (7 events)

        [2000 cycles, -11,652,322,000 ns from origin]
        [3000 cycles, -11,651,322,000 ns from origin]
        {Trace 0, Stream class ID 3, Stream ID 2}
        Discarded packets (2 packets)

        [3000 cycles, -11,651,322,000 ns from origin]
        {Trace 0, Stream class ID 3, Stream ID 2}
        Packet beginning:
          Context:
            times: Empty
            n: 2

        [3500 cycles, -11,650,822,000 ns from origin]
        {Trace 0, Stream class ID 3, Stream ID 2}
        Event (Class ID 1):
          Common context:
            cc: 13

        [4000 cycles, -11,650,322,000 ns from origin]
        {Trace 0, Stream class ID 3, Stream ID 2}
        Packet end

        [Unknown]
        {Trace 0, Stream class ID 3, Stream ID 2}
        Stream end

        """;
}
